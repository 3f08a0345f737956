package dissect

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dhcpMessage builds a DHCP message from options written as code, value.
func dhcpMessage(op byte, options ...[]byte) []byte {
	b := make([]byte, dhcpOptions)
	b[0], b[1], b[2] = op, 1, 6
	binary.BigEndian.PutUint32(b[dhcpXID:], 0x01020304)
	copy(b[dhcpYIAddr:], []byte{10, 0, 0, 9})
	copy(b[dhcpCHAddr:], []byte{2, 0, 0, 0, 0, 1})
	binary.BigEndian.PutUint32(b[dhcpCookie:], dhcpMagic)
	for _, o := range options {
		b = append(b, option(o)...)
	}
	return append(b, 255)
}

// option turns code and value into code, length, value.
func option(o []byte) []byte {
	return append([]byte{o[0], byte(len(o) - 1)}, o[1:]...)
}

func opt(code byte, value string) []byte { return append([]byte{code}, value...) }

func TestDHCPv4(t *testing.T) {
	base := func(f func(*DHCPv4)) DHCPv4 {
		m := DHCPv4{Op: 1, XID: 0x01020304, YourIP: [4]byte{10, 0, 0, 9}, ClientMAC: [6]byte{2, 0, 0, 0, 0, 1}}
		f(&m)
		return m
	}
	order := func(m *DHCPv4, codes ...uint8) { m.OrderLen = uint8(copy(m.Order[:], codes)) }
	tests := []struct {
		name string
		b    []byte
		want DHCPv4
	}{
		{"discover", dhcpMessage(1, opt(53, "\x01"), opt(12, "pump-7\x00"), opt(60, "udhcp 1.2"), opt(55, "\x01\x03\x06"), opt(57, "\x05\xdc")),
			base(func(m *DHCPv4) {
				m.MessageType, m.Hostname, m.VendorClass, m.MaxSize = 1, TextOf("pump-7"), TextOf("udhcp 1.2"), 1500
				m.PRLLen = uint8(copy(m.PRL[:], []byte{1, 3, 6}))
				order(m, 53, 12, 60, 55, 57)
			})},
		{"offer", dhcpMessage(2, opt(53, "\x02"), opt(54, "\x0a\x00\x00\x01"), opt(51, "\x00\x00\x0e\x10")),
			base(func(m *DHCPv4) {
				m.Op, m.MessageType, m.ServerID, m.LeaseSeconds = 2, 2, [4]byte{10, 0, 0, 1}, 3600
				order(m, 53, 54, 51)
			})},
		{"client id is a MAC", dhcpMessage(1, opt(61, "\x01\x02\x00\x00\x00\x00\x07")),
			base(func(m *DHCPv4) {
				m.ClientIDType, m.ClientIDLen, m.ClientIDMAC, m.HasClientIDMAC = 1, 7, [6]byte{2, 0, 0, 0, 0, 7}, true
				order(m, 61)
			})},
		{"client id is a DUID-LLT", dhcpMessage(1, opt(61, "\xffIAID\x00\x01\x00\x01TIME\x02\x00\x00\x00\x00\x08")),
			base(func(m *DHCPv4) {
				m.ClientIDType, m.ClientIDLen, m.ClientIDMAC, m.HasClientIDMAC = 255, 19, [6]byte{2, 0, 0, 0, 0, 8}, true
				order(m, 61)
			})},
		{"client id is a DUID-LL", dhcpMessage(1, opt(61, "\xffIAID\x00\x03\x00\x01\x02\x00\x00\x00\x00\x09")),
			base(func(m *DHCPv4) {
				m.ClientIDType, m.ClientIDLen, m.ClientIDMAC, m.HasClientIDMAC = 255, 15, [6]byte{2, 0, 0, 0, 0, 9}, true
				order(m, 61)
			})},
		{"FQDN as text", dhcpMessage(1, opt(81, "\x00\x00\x00us-3.example.")),
			base(func(m *DHCPv4) { m.FQDN = NameOf("us-3.example"); order(m, 81) })},
		{"FQDN in wire form", dhcpMessage(1, opt(81, "\x05\x00\x00\x04us-3\x07example\x00")),
			base(func(m *DHCPv4) { m.FQDN = NameOf("us-3.example"); order(m, 81) })},
		{"MUD URL", dhcpMessage(1, opt(161, "https://mud.example/lamp.json?unit=4#x")),
			base(func(m *DHCPv4) { m.MUDURL = TextOf("https://mud.example/lamp.json"); order(m, 161) })},
		{"MUD URL with a user", dhcpMessage(1, opt(161, "https://jo:pw@mud.example/lamp")),
			base(func(m *DHCPv4) { m.MUDURL = TextOf("mud.example/lamp"); order(m, 161) })},
		{"PXE and enterprise number", dhcpMessage(1, opt(93, "\x00\x07"), opt(124, "\x00\x00\x12\x34\x03abc")),
			base(func(m *DHCPv4) { m.Arch, m.HasArch, m.VendorPEN = 7, true, 0x1234; order(m, 93, 124) })},
		{"odd lengths are left out", dhcpMessage(1, opt(53, ""), opt(50, "\x0a"), opt(57, "\x01"), opt(81, "\x00"), opt(61, "")),
			base(func(m *DHCPv4) { order(m, 53, 50, 57, 81, 61) })},
		{"option longer than the packet", append(dhcpMessage(1, opt(53, "\x03"))[:dhcpOptions+3], 12, 200, 'x'),
			base(func(m *DHCPv4) { m.MessageType = 3; order(m, 53) })},
		{"hostname is sanitised", dhcpMessage(1, opt(12, "a\"b\xc3\xa4\n<c>")),
			base(func(m *DHCPv4) { m.Hostname = TextOf("a_b___c_"); order(m, 12) })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := DHCPv4{Hostname: TextOf("left over")}
			if !m.Decode(tt.b) {
				t.Fatal("not recognised")
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestDHCPv4Overload(t *testing.T) {
	b := dhcpMessage(1, opt(52, "\x03"))
	copy(b[dhcpFile:], append(option(opt(60, "in-file")), 255))
	copy(b[dhcpSName:], append(option(opt(12, "in-sname")), 255))
	var m DHCPv4
	if !m.Decode(b) || m.VendorClass.String() != "in-file" || m.Hostname.String() != "in-sname" {
		t.Errorf("got %q and %q", m.VendorClass, m.Hostname)
	}
}

func TestDHCPv4Bounds(t *testing.T) {
	prl := bytes.Repeat([]byte{9}, 200)
	many := make([][]byte, 0, 100)
	for range 100 {
		many = append(many, opt(200, ""))
	}
	var m DHCPv4
	if !m.Decode(dhcpMessage(1, append(many, opt(55, string(prl)))...)) || m.PRLLen != 64 || m.OrderLen != 64 {
		t.Errorf("kept %d of the request list and %d option codes, want 64 of each", m.PRLLen, m.OrderLen)
	}
}

func TestDHCPv4Refuses(t *testing.T) {
	good := dhcpMessage(1)
	for name, b := range map[string][]byte{
		"empty":     nil,
		"short":     good[:dhcpOptions-1],
		"op 3":      append([]byte{3}, good[1:]...),
		"no cookie": append(bytes.Clone(good[:dhcpCookie]), 0, 0, 0, 0, 255),
	} {
		if new(DHCPv4).Decode(b) {
			t.Errorf("%s: recognised", name)
		}
	}
}

func TestDHCPv4Allocs(t *testing.T) {
	b := dhcpMessage(1, opt(53, "\x01"), opt(12, "pump"), opt(60, "vc"), opt(55, "\x01\x03"), opt(81, "\x05\x00\x00\x04us-3\x00"))
	m := new(DHCPv4)
	noAllocs(t, func() { m.Decode(b) })
}

func FuzzDHCPv4(f *testing.F) {
	f.Add(dhcpMessage(1, opt(53, "\x01"), opt(12, "pump"), opt(52, "\x03"), opt(55, "\x01"), opt(61, "\x01abcdef"), opt(81, "\x04\x00\x00\x01a")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m DHCPv4
		m.Decode(b)
		checkMessage(t, &m)
	})
}
