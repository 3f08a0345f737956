package dissect

import "encoding/binary"

// NDPType is the kind of a neighbour discovery message (RFC 4861 §4).
type NDPType uint8

// The kinds, numbered as ICMPv6 types; zero is no such message.
const (
	NDPRouterSolicit  NDPType = 133
	NDPRouterAdvert   NDPType = 134
	NDPNeighborAsk    NDPType = 135
	NDPNeighborAdvert NDPType = 136
)

// NDP is a neighbour discovery message.
type NDP struct {
	Type     NDPType
	Target   [16]byte // of a neighbour solicitation or advertisement
	SourceLL [6]byte  // option 1, zero if absent
	TargetLL [6]byte  // option 2, zero if absent
	Router   bool     // the R flag of an advertisement
	Lifetime uint16   // of a router advertisement, seconds; 0: no default router
}

const maxNDPOptions = 32

func (v *View) ndp(b []byte) {
	head := 0 // bytes in front of the options
	n := NDP{Type: NDPType(b[0])}
	switch n.Type {
	case NDPRouterSolicit:
		head = 8
	case NDPRouterAdvert:
		head = 16
	case NDPNeighborAsk, NDPNeighborAdvert:
		head = 24
	default:
		return
	}
	if len(b) < head {
		return
	}
	switch n.Type {
	case NDPRouterAdvert:
		n.Lifetime = binary.BigEndian.Uint16(b[6:])
	case NDPNeighborAsk, NDPNeighborAdvert:
		n.Target = [16]byte(b[8:24])
		n.Router = n.Type == NDPNeighborAdvert && b[4]&0x80 != 0
	}
	// Options are type and length in units of 8 bytes; a length of 0 makes the
	// message invalid (RFC 4861 §4.6).
	b = b[head:]
	for range maxNDPOptions {
		if len(b) < 8 {
			break
		}
		size := int(b[1]) * 8
		if size == 0 || size > len(b) {
			return
		}
		switch b[0] {
		case 1:
			n.SourceLL = [6]byte(b[2:8])
		case 2:
			n.TargetLL = [6]byte(b[2:8])
		}
		b = b[size:]
	}
	v.NDP = n
}
