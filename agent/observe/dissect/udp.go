package dissect

import "encoding/binary"

const udpLen = 8

// udp reads the header (RFC 768). A length of 0 is a jumbogram or left to the
// network card; one beyond the packet is cut by the capture.
func (v *View) udp(b []byte) {
	if len(b) < udpLen {
		return
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n != 0 && n < udpLen {
		return
	}
	if n == 0 || n > len(b) {
		n = len(b)
	}
	v.Transport = TransportUDP
	v.SrcPort, v.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	v.Payload = b[udpLen:n]
}
