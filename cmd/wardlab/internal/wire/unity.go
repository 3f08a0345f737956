package wire

import (
	"net/netip"
	"time"
)

// Ports of the GE Unity network (protocols.md 2.7).
const (
	UnityRWHAT = 7000 // announcements, broadcast
	UnityAsked = 2000 // requests, at the monitor
	UnityAsks  = 3073 // the central station's, for them and what answers
	UnityTells = 3011 // vital signs come from here
)

// RWHAT is the datagram by which a monitor of the GE Unity network tells that
// it is there: 88 octets with its address, the time, ward and bed, the patient,
// and its services.
func RWHAT(from netip.Addr, at time.Time, bed, patient string) []byte {
	b := be(nil).u32(0x01040000).bytes(v4(from)).u32(uint32(at.Unix())).bytes(padded(bed, 16)).bytes(padded(patient, 15)).u8(7)
	for _, s := range [][2]uint16{{3, 2000}, {0x11, 32}, {9, 2000}, {0x13, 3000}, {0x1c, 3001}, {0xd, 2000}, {0xc, 2000}} {
		b = b.u16(s[0]).u16(s[1])
	}
	return append(b, make([]byte, 88-len(b))...)
}

// UnityRequest asks for vital signs: function 00CA sub 0060, and no values.
func UnityRequest(to, from netip.Addr, sequence uint16, location string) []byte {
	return unity(to, from, 0x00ca0060, sequence, location, nil)
}

// UnityVitals is a message with vital signs: function 00C9 sub 0014.
func UnityVitals(to, from netip.Addr, sequence uint16, location string, values []uint16) []byte {
	return unity(to, from, 0x00c90014, sequence, location, values)
}

// unity is a message: a header of 60 octets with both addresses, the function, the
// location's name, and the values.
func unity(to, from netip.Addr, function uint32, sequence uint16, location string, values []uint16) []byte {
	b := be(nil).bytes(v4(to)).u16(0).bytes(v4(from)).u16(0).u32(function)
	b = b.u16(1).u16(sequence).u16(0).u16(1).bytes(padded(location, 32)).u16(0).u16(uint16(len(values)))
	for _, v := range values {
		b = b.u16(v)
	}
	return b
}

// padded is s in n octets, the last of them a NUL.
func padded(s string, n int) []byte {
	b := make([]byte, n)
	copy(b[:n-1], s)
	return b
}
