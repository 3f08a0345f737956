package extract

import (
	"strconv"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// ephemeral is the lowest port that programs take to ask with (Linux); what a
// device serves above it over UDP, or sends to a group, is not stated: the
// ports change with each start.
const ephemeral = 32768

// service states what a frame proved: its sender serves, its target uses.
func (x *Extractor) service(v *dissect.View, way flows.Way, s fact.Service) {
	if v.Transport == dissect.TransportUDP && s.Port >= ephemeral {
		return
	}
	x.text = appendService(x.text[:0], s)
	x.state(x.source(v, way), fact.Serves, x.text)
	x.state(x.target(v, way), fact.Uses, x.text)
}

// group states to which groups a device sends.
func (x *Extractor) group(v *dissect.View) {
	s := fact.Service{EtherType: v.EtherType, Proto: v.Proto, Port: v.DstPort}
	switch {
	case v.Transport == dissect.TransportUDP && v.DstPort < ephemeral:
		x.text = append(appendService(x.text[:0], s), ' ')
		x.text = v.DstAddr().AppendTo(x.text)
	case v.Network == dissect.NetworkOther && v.HasDstMAC && v.EtherType != 0 && v.EtherType != dissect.EtherTypeLLDP:
		x.text = append(appendService(x.text[:0], s), ' ')
		x.text = appendMAC(x.text, v.DstMAC)
	default:
		return
	}
	x.state(x.source(v, flows.FromDevice), fact.MulticastTo, x.text)
}

// router states who says that it is one.
func (x *Extractor) router(v *dissect.View, way flows.Way) {
	if v.NDP.Lifetime > 0 {
		x.yes(x.source(v, way), fact.NDPRouter)
	}
}

// appendService writes a service as fact.Service.String does, without
// allocating for TCP and UDP.
func appendService(b []byte, s fact.Service) []byte {
	if s.EtherType == 0x0800 || s.EtherType == 0x86dd {
		switch s.Proto {
		case 6:
			return strconv.AppendUint(append(b, "tcp/"...), uint64(s.Port), 10)
		case 17:
			return strconv.AppendUint(append(b, "udp/"...), uint64(s.Port), 10)
		}
		return append(b, s.String()...)
	}
	return appendHex(append(b, "ether/0x"...), []byte{byte(s.EtherType >> 8), byte(s.EtherType)})
}

const hexDigits = "0123456789abcdef"

func appendHex(b, v []byte) []byte {
	for _, c := range v {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

func appendMAC(b []byte, mac [6]byte) []byte {
	for i, c := range mac {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}
