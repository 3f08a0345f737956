package dissect

import "encoding/binary"

// ARP is an address resolution message for IPv4 over Ethernet (RFC 826).
type ARP struct {
	Op                 uint16 // 1 request, 2 reply
	SenderHW, TargetHW [6]byte
	SenderIP, TargetIP [4]byte
}

// Operations.
const (
	ARPRequest = 1
	ARPReply   = 2
)

const arpLen = 28

func (v *View) arp(b []byte) {
	// htype 1, ptype 0x0800, hlen 6, plen 4; others stay NetworkOther
	if len(b) < arpLen || binary.BigEndian.Uint32(b) != 0x00010800 || b[4] != 6 || b[5] != 4 {
		return
	}
	v.Network = NetworkARP
	v.ARP = ARP{
		Op:       binary.BigEndian.Uint16(b[6:]),
		SenderHW: [6]byte(b[8:14]), SenderIP: [4]byte(b[14:18]),
		TargetHW: [6]byte(b[18:24]), TargetIP: [4]byte(b[24:28]),
	}
	v.Payload = nil
}

// Probe reports a question for an address that the sender has not taken yet
// (RFC 5227 §1.1).
func (a *ARP) Probe() bool { return a.SenderIP == [4]byte{} }
