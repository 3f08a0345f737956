package fact

import (
	"fmt"
	"net/netip"
)

// Service is a protocol with the port of the serving side.
type Service struct {
	EtherType uint16 // 0x0800 and 0x86dd for IP, else the frame's own
	Proto     uint8  // IP protocol number
	Port      uint16 // of TCP, UDP; ICMP type
}

// String writes "tcp/443", "udp/53", "icmp/8", "icmp6/135", "ip/47" or
// "ether/0x88f7", as policies do.
func (s Service) String() string {
	switch {
	case s.EtherType != 0x0800 && s.EtherType != 0x86dd:
		return fmt.Sprintf("ether/0x%04x", s.EtherType)
	case s.Proto == 6:
		return fmt.Sprintf("tcp/%d", s.Port)
	case s.Proto == 17:
		return fmt.Sprintf("udp/%d", s.Port)
	case s.Proto == 1:
		return fmt.Sprintf("icmp/%d", s.Port)
	case s.Proto == 58:
		return fmt.Sprintf("icmp6/%d", s.Port)
	}
	return fmt.Sprintf("ip/%d", s.Proto)
}

// Opener says which side of a conversation began it.
type Opener uint8

// Openers. Unknown: the capture began in the middle.
const (
	OpenerUnknown Opener = iota + 1
	OpenerDevice
	OpenerPeer
)

// String is the stable name.
func (o Opener) String() string {
	switch o {
	case OpenerUnknown:
		return "unknown"
	case OpenerDevice:
		return "device"
	case OpenerPeer:
		return "peer"
	}
	return "invalid"
}

// Flow is what happened on one flow since its last report: a delta of the
// counts, taken at most once a second and at the flow's end. In a Batch the
// deltas of one conversation (same device, peer and service) are summed.
type Flow struct {
	Device   MAC
	DeviceIP netip.Addr
	Peer     MAC // of the next hop
	PeerIP   netip.Addr
	VLAN     uint16
	Service  Service
	Opener   Opener
	// Answered: both directions have been seen. Capture sees frames that the
	// firewall drops afterwards, so a flow that is not answered was attempted.
	Answered bool
	Ended    bool // FIN, RST or idle: no more of it, or of all that are summed, will come
	// Counts since the last report, from and to the device.
	PacketsFrom, BytesFrom, PacketsTo, BytesTo uint64
	First, Last                                int64 // nanoseconds since 1970, of the whole flow
}

// Add sums another delta of the same conversation into f.
func (f *Flow) Add(o *Flow) {
	f.DeviceIP, f.Peer, f.VLAN = o.DeviceIP, o.Peer, o.VLAN // as of late
	if f.Opener == OpenerUnknown {
		f.Opener = o.Opener
	}
	f.Answered, f.Ended = f.Answered || o.Answered, f.Ended && o.Ended
	f.PacketsFrom += o.PacketsFrom
	f.BytesFrom += o.BytesFrom
	f.PacketsTo += o.PacketsTo
	f.BytesTo += o.BytesTo
	f.First, f.Last = min(f.First, o.First), max(f.Last, o.Last)
}

// MarshalText writes the name, never the number.
func (o Opener) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the name.
func (o *Opener) UnmarshalText(b []byte) error {
	for k := OpenerUnknown; k <= OpenerPeer; k++ {
		if k.String() == string(b) {
			*o = k
			return nil
		}
	}
	return fmt.Errorf("opener %q: want unknown, device or peer", b)
}
