package uplink

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// maxPacket is the longest packet we let the broker send: paho allocates
	// what is announced, up to 256 MiB, before the first byte is there.
	maxPacket = 1 << 20
	// writeLimit is for paho: it bounds the write of a PUBLISH, and without it
	// a peer that takes no data is never noticed.
	writeLimit = 5 * time.Second
	// anyWriteLimit is ours, for the packets that paho writes without a bound:
	// a PINGREQ that blocks blocks the goroutine that would miss its answer.
	anyWriteLimit = 6 * time.Second
)

var errTooLong = errors.New("broker announced a packet that is too long")

// watched is a connection whose incoming packets are framed on the side: to cut
// those that are too long or that nobody may send us, and to note which message
// ids were acknowledged.
type watched struct {
	net.Conn

	mu    sync.Mutex
	acks  [1 << 16 / 64]uint64 // mu; ids of PUBACKs not yet asked for
	cause error                // mu; what this side objected to

	// of the reading goroutine
	kind   byte   // of the packet: its first byte
	state  uint8  // 0: first byte next; 1: in the length; 2: in the body
	length uint32 // announced
	shift  uint
	at     uint32 // in the body
	id     uint16 // from the body of a PUBACK
}

// Read hands over bytes only once they have passed the framing.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	for _, c := range b[:n] {
		if ferr := w.frame(c); ferr != nil {
			w.mu.Lock()
			w.cause = ferr
			w.mu.Unlock()
			w.Conn.Close()
			return 0, ferr
		}
	}
	return n, err
}

// frame takes the next byte (MQTT 3.1.1 §2.2: fixed header, then 1 to 4 bytes
// of remaining length, seven bits each, least significant first).
func (w *watched) frame(c byte) error {
	switch w.state {
	case 0:
		if !expected(c) {
			return fmt.Errorf("broker sent a packet of a kind that it may not: 0x%02x", c)
		}
		w.kind, w.length, w.shift, w.at, w.state = c, 0, 0, 0, 1
	case 1:
		w.length |= uint32(c&0x7f) << w.shift
		w.shift += 7
		switch {
		case w.length > maxPacket:
			return fmt.Errorf("%w: %d bytes or more, at most %d", errTooLong, w.length, maxPacket)
		case c&0x80 != 0 && w.shift > 21:
			return errors.New("broker sent a packet length of more than four bytes")
		case c&0x80 != 0:
		case w.kind == subAck && w.length != 3:
			return fmt.Errorf("broker answered one subscription with %d bytes", w.length)
		case w.length == 0:
			w.state = 0
		default:
			w.state = 2
		}
	case 2:
		if w.at < 2 {
			w.id = w.id<<8 | uint16(c)
		}
		if w.at++; w.at < w.length {
			return nil
		}
		w.state = 0
		if w.kind == pubAck && w.length == 2 {
			w.mu.Lock()
			w.acks[w.id/64] |= 1 << (w.id % 64)
			w.mu.Unlock()
		}
	}
	return nil
}

// First bytes of what a broker sends (MQTT 3.1.1 §2.2.1).
const (
	connAck  = 0x20
	publish  = 0x30 // the low half are flags
	pubAck   = 0x40
	subAck   = 0x90
	pingResp = 0xd0
)

// expected reports whether a broker may send us such a packet. QoS 2 is none of
// it: we never ask for it, and the library would keep each such message, up to
// 65,535 of them, until the broker says that it may let go. Of a SUBACK with
// more codes than were asked for it would panic.
func expected(first byte) bool {
	switch first {
	case connAck, pubAck, subAck, pingResp:
		return true
	}
	return first&0xf0 == publish && first>>1&3 < 2
}

// takeAck reports whether a PUBACK of that id came in, once for each.
func (w *watched) takeAck(id uint16) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	bit := uint64(1) << (id % 64)
	was := w.acks[id/64]&bit != 0
	w.acks[id/64] &^= bit
	return was
}

// objection is why this side ended the connection, if it did.
func (w *watched) objection() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// Write closes the connection if the peer takes nothing for too long; a timer
// and not a deadline, since paho sets and clears the deadline itself.
func (w *watched) Write(b []byte) (int, error) {
	t := time.AfterFunc(anyWriteLimit, func() {
		w.mu.Lock()
		if w.cause == nil {
			w.cause = errors.New("broker takes no data")
		}
		w.mu.Unlock()
		w.Conn.Close()
	})
	defer t.Stop()
	return w.Conn.Write(b)
}
