package rig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wire is a raw packet socket on the far end of a port's veth pair.
type wire struct{ fd int }

func openWire(index int) (*wire, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	w := &wire{fd: fd}
	for _, opt := range []struct{ level, name, value int }{
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
		{unix.SOL_PACKET, unix.PACKET_AUXDATA, 1},
		{unix.SOL_SOCKET, unix.SO_RCVBUF, 1 << 20},
	} {
		if err := unix.SetsockoptInt(fd, opt.level, opt.name, opt.value); err != nil {
			w.close()
			return nil, fmt.Errorf("set socket option %d: %w", opt.name, err)
		}
	}
	// Bound last: nothing of other ports gets into the queue.
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: index}); err != nil {
		w.close()
		return nil, fmt.Errorf("bind packet socket: %w", err)
	}
	return w, nil
}

// send waits a second at most while the wire's queue is full, as on a slow
// machine that is sent many frames in a row.
func (w *wire) send(frame []byte) error {
	deadline := time.Now().Add(time.Second)
	for {
		_, err := unix.Write(w.fd, frame)
		if !errors.Is(err, unix.EAGAIN) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// receive returns nil, nil if nothing came in time.
func (w *wire) receive(wait time.Duration) ([]byte, error) {
	deadline := time.Now().Add(wait)
	for {
		frame, err := w.read()
		if !errors.Is(err, unix.EAGAIN) {
			return frame, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return nil, nil
		}
		ready := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return nil, fmt.Errorf("poll: %w", err)
		}
	}
}

func (w *wire) read() ([]byte, error) {
	frame, oob := make([]byte, 1<<16), make([]byte, 128)
	n, oobn, _, _, err := unix.Recvmsg(w.fd, frame, oob, 0)
	if err != nil {
		return nil, err
	}
	return retag(frame[:n], oob[:oobn])
}

// retag puts back the VLAN tag that the kernel takes out of a frame.
func retag(frame, oob []byte) ([]byte, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("parse control message: %w", err)
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA ||
			len(m.Data) < int(unsafe.Sizeof(unix.TpacketAuxdata{})) {
			continue
		}
		status := binary.NativeEndian.Uint32(m.Data[0:])
		tci := binary.NativeEndian.Uint16(m.Data[16:])
		tpid := binary.NativeEndian.Uint16(m.Data[18:])
		if status&unix.TP_STATUS_VLAN_VALID == 0 || len(frame) < 12 {
			continue
		}
		tagged := append(make([]byte, 0, len(frame)+4), frame[:12]...)
		tagged = binary.BigEndian.AppendUint16(tagged, tpid)
		tagged = binary.BigEndian.AppendUint16(tagged, tci)
		return append(tagged, frame[12:]...), nil
	}
	return frame, nil
}

func (w *wire) close() { _ = unix.Close(w.fd) }

func htons(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
