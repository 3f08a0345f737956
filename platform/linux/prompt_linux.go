package linux

import (
	"context"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// prompt sends the station an EAP-Request/Identity (IEEE 802.1X-2010, RFC 3748)
// with the address of the port as its sender.
func prompt(_ context.Context, port string, mac [6]byte) error {
	link, err := findLink(port)
	if err != nil {
		return err
	}
	frame := append(append([]byte{}, mac[:]...), link.Attrs().HardwareAddr...)
	frame = binary.BigEndian.AppendUint16(frame, unix.ETH_P_PAE)
	frame = append(frame,
		2, 0, 0, 5, // version 2, an EAP packet of 5 bytes:
		1, 1, 0, 5, 1) // a request, its identifier, 5 bytes, of type identity
	frame = append(frame, make([]byte, 60-len(frame))...)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) // protocol 0: it hears nothing
	if err != nil {
		return fmt.Errorf("prompt on port %s: open packet socket: %w", port, err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index}); err != nil {
		return fmt.Errorf("prompt on port %s: send: %w", port, err)
	}
	return nil
}
