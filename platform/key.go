package platform

import (
	"encoding/binary"
	"net/netip"
)

// The bytes of key fields and match values. Concatenate them for a set of
// several fields.

// MACKey is the bytes of a MAC address.
func MACKey(mac [6]byte) string { return string(mac[:]) }

// AddrKey is the bytes of an address: 4, or 16 for IPv6.
func AddrKey(addr netip.Addr) string { return string(addr.AsSlice()) }

// Uint16Key is a port, an EtherType or another 2-byte number.
func Uint16Key(v uint16) string {
	return string(binary.BigEndian.AppendUint16(nil, v))
}

// ByteKey is a protocol number or another 1-byte number.
func ByteKey(v uint8) string { return string([]byte{v}) }

// NameKey is a port's name, NUL padded; a longer one than the kernel takes is cut.
func NameKey(name string) string {
	var key [16]byte
	copy(key[:len(key)-1], name)
	return string(key[:])
}
