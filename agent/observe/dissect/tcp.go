package dissect

import "encoding/binary"

// TCP flags.
const (
	TCPFin = 1 << iota
	TCPSyn
	TCPRst
	TCPPsh
	TCPAck
)

// TCP is the header of a segment (RFC 9293 §3.1).
type TCP struct {
	Seq, Ack uint32
	Flags    uint8
	Window   uint16
}

// Has reports whether all the flags are set.
func (t *TCP) Has(flags uint8) bool { return t.Flags&flags == flags }

const tcpMin = 20

func (v *View) tcp(b []byte) {
	if len(b) < tcpMin {
		return
	}
	hl := int(b[12]>>4) * 4
	if hl < tcpMin || hl > len(b) {
		return
	}
	v.Transport = TransportTCP
	v.SrcPort, v.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	v.TCP = TCP{
		Seq: binary.BigEndian.Uint32(b[4:]), Ack: binary.BigEndian.Uint32(b[8:]),
		Flags: b[13], Window: binary.BigEndian.Uint16(b[14:]),
	}
	v.Payload = b[hl:]
}
