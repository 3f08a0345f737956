package wire

import (
	"net/netip"
	"time"
)

// Ports of the GE Unity network (protocols.md 2.7).
const (
	UnityRWHAT = 7000 // announcements, broadcast
	UnityData  = 2000 // requests, and what answers them
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

// UnityVitals is a message with vital signs: a header of 60 octets with both
// addresses, function 00C9 sub 0014, the location's name, and the values.
func UnityVitals(to, from netip.Addr, sequence uint16, location string, values []uint16) []byte {
	b := be(nil).bytes(v4(to)).u16(0).bytes(v4(from)).u16(0).u16(0x00c9).u16(0x0014)
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
