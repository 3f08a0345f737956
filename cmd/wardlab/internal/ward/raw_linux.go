package ward

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// Raw is a packet socket on a host's card.
type Raw struct {
	f  *os.File
	rc syscall.RawConn
}

// etherAll is ETH_P_ALL: every frame, both directions.
const etherAll = 3

func htons(v uint16) uint16 { return v<<8 | v>>8 }

// Raw opens a packet socket for one EtherType, or 0 for every frame, on the
// host's card.
func (h *Host) Raw(etherType uint16) (*Raw, error) {
	var r *Raw
	err := h.Do(func() (err error) {
		r, err = OpenRaw(link, etherType)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%v: %w", h.Part, err)
	}
	return r, nil
}

// OpenRaw opens a packet socket on a card of the current namespace.
func OpenRaw(card string, etherType uint16) (*Raw, error) {
	if etherType == 0 {
		etherType = etherAll
	}
	ifi, err := net.InterfaceByName(card)
	if err != nil {
		return nil, fmt.Errorf("packet socket on %s: %w", card, err)
	}
	// Protocol 0 until it is bound: nothing of other cards is queued.
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket on %s: %w", card, err)
	}
	// As much as the user may have: rmem_max outside the first user namespace.
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<20)
	if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: htons(etherType), Ifindex: ifi.Index}); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("bind packet socket to %s: %w", card, err)
	}
	f := os.NewFile(uintptr(fd), "packet:"+card)
	rc, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("packet socket on %s: %w", card, err)
	}
	return &Raw{f: f, rc: rc}, nil
}

// Read takes one frame. outgoing says that the host itself sent it. An error
// that is os.ErrDeadlineExceeded or os.ErrClosed is what the name says.
func (r *Raw) Read(b []byte) (n int, outgoing bool, err error) {
	var from syscall.Sockaddr
	cerr := r.rc.Read(func(fd uintptr) bool {
		n, from, err = syscall.Recvfrom(int(fd), b, 0)
		return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	if cerr != nil {
		return 0, false, cerr
	}
	if ll, ok := from.(*syscall.SockaddrLinklayer); ok {
		outgoing = ll.Pkttype == syscall.PACKET_OUTGOING
	}
	return n, outgoing, err
}

// Write sends one frame.
func (r *Raw) Write(frame []byte) error {
	_, err := r.f.Write(frame)
	return err
}

// SetReadDeadline is as of a net.Conn.
func (r *Raw) SetReadDeadline(t time.Time) error { return r.f.SetReadDeadline(t) }

// Close closes the socket.
func (r *Raw) Close() error { return r.f.Close() }
