package fact

import (
	"fmt"
	"net/netip"
)

// MAC is an Ethernet address.
type MAC [6]byte

// String writes it as 00:09:fb:12:34:56.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// Local reports a locally administered address: random or virtual, no vendor.
func (m MAC) Local() bool { return m[0]&2 != 0 }

// Group reports a multicast or broadcast address.
func (m MAC) Group() bool { return m[0]&1 != 0 }

// MarshalText writes the MAC in JSON as its String.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *MAC) UnmarshalText(b []byte) error {
	p, err := ParseMAC(string(b))
	*m = p
	return err
}

// ParseMAC reads aa:bb:cc:dd:ee:ff (or with dashes), in either case.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	if len(s) != 17 {
		return MAC{}, fmt.Errorf("parse MAC: want aa:bb:cc:dd:ee:ff, got %d characters", len(s))
	}
	for i := range m {
		hi, lo := unhex(s[3*i]), unhex(s[3*i+1])
		if hi > 15 || lo > 15 || (i < 5 && s[3*i+2] != ':' && s[3*i+2] != '-') {
			return MAC{}, fmt.Errorf("parse MAC: bad character near position %d", 3*i)
		}
		m[i] = hi<<4 | lo
	}
	return m, nil
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// Fact is one allowed statement about one device, from one protocol. It owns
// its value.
type Fact struct {
	MAC   MAC        // of the device; zero where only the IP is known
	IP    netip.Addr // of the device; invalid where only the MAC is known
	VLAN  uint16     // VLAN id the frame had, 0 for none
	Kind  Kind
	Value Value
	Time  int64 // nanoseconds since 1970
}

// Sighting says that a device was there: a frame came in from it on a port.
// The observer reports at most one a second for the same device and address.
type Sighting struct {
	MAC  MAC
	IP   netip.Addr // its IPv4 or IPv6 source address, or invalid
	VLAN uint16
	Time int64
}

// Batch is what one observer hands over at once. It is never changed after.
type Batch struct {
	Port      string // the ward port, "" for a capture file
	Sightings []Sighting
	Facts     []Fact
	Flows     []Flow
}
