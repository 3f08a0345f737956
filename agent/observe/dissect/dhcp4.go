package dissect

import "encoding/binary"

// Offsets of the fixed part (RFC 2131 §2).
const (
	dhcpXID     = 4
	dhcpCIAddr  = 12
	dhcpYIAddr  = 16
	dhcpGIAddr  = 24
	dhcpCHAddr  = 28
	dhcpSName   = 44
	dhcpFile    = 108
	dhcpCookie  = 236
	dhcpOptions = 240

	dhcpMagic = 0x63825363 // RFC 2132 §2
)

// maxDHCPOptions bounds the list of option codes.
const maxDHCPOptions = 64

// DHCPv4 is what a DHCP message says of the client or the server that sent it
// (RFC 2131, 2132, 4702, 8520).
//
// phi: never read: sname and file as text, option 43 (vendor data), 77 (user
// class), 82 (relay agent: a place), 97 (machine UUID), the data behind the
// enterprise number of option 124, and every option not named below. Host
// name and FQDN may hold a person's name: whoever keeps them tests for that.
type DHCPv4 struct {
	Op          uint8   // 1 request, 2 reply
	MessageType uint8   // option 53; 0: plain BOOTP
	ClientMAC   [6]byte // chaddr, zero when it is not an Ethernet address
	XID         uint32
	ClientIP    [4]byte // ciaddr
	YourIP      [4]byte // yiaddr
	RelayIP     [4]byte // giaddr
	RequestedIP [4]byte // option 50
	ServerID    [4]byte // option 54

	Hostname    Text // option 12
	VendorClass Text // option 60
	FQDN        Name // option 81
	MUDURL      Text // option 161, authority and path only

	LeaseSeconds   uint32  // option 51
	MaxSize        uint16  // option 57, bytes
	Arch           uint16  // option 93, valid when HasArch
	HasArch        bool    //
	VendorPEN      uint32  // option 124, IANA enterprise number
	ClientIDType   uint8   // option 61, first byte; valid when ClientIDLen > 0
	ClientIDLen    uint8   // option 61, bytes
	ClientIDMAC    [6]byte // option 61: type 1, or the link-layer address of a DUID
	HasClientIDMAC bool

	PRL      [maxDHCPOptions]uint8 // option 55, in the order sent
	PRLLen   uint8
	Order    [maxDHCPOptions]uint8 // option codes in the order sent, without pad and end
	OrderLen uint8
}

// Decode reads a UDP payload. It is false when the bytes are not BOOTP with
// the DHCP cookie; options that are cut short end the list.
func (m *DHCPv4) Decode(b []byte) bool {
	*m = DHCPv4{}
	if len(b) < dhcpOptions || (b[0] != 1 && b[0] != 2) ||
		binary.BigEndian.Uint32(b[dhcpCookie:]) != dhcpMagic {
		return false
	}
	m.Op = b[0]
	m.XID = binary.BigEndian.Uint32(b[dhcpXID:])
	m.ClientIP = [4]byte(b[dhcpCIAddr:])
	m.YourIP = [4]byte(b[dhcpYIAddr:])
	m.RelayIP = [4]byte(b[dhcpGIAddr:])
	if b[1] == 1 && b[2] == 6 { // htype Ethernet, hlen
		m.ClientMAC = [6]byte(b[dhcpCHAddr:])
	}
	// Option 52 says that file (bit 0) and sname (bit 1) hold options too,
	// read in that order (RFC 2131 §4.1).
	overload := m.options(b[dhcpOptions:])
	if overload&1 != 0 {
		m.options(b[dhcpFile:dhcpCookie])
	}
	if overload&2 != 0 {
		m.options(b[dhcpSName:dhcpFile])
	}
	return true
}

// options reads one option field and returns the value of option 52.
func (m *DHCPv4) options(b []byte) (overload uint8) {
	for len(b) > 0 {
		code := b[0]
		if code == 255 { // end
			break
		}
		if code == 0 { // pad
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			break
		}
		v := b[2 : 2+int(b[1])]
		b = b[2+len(v):]
		if int(m.OrderLen) < len(m.Order) {
			m.Order[m.OrderLen] = code
			m.OrderLen++
		}
		if code == 52 && len(v) == 1 {
			overload = v[0]
			continue
		}
		m.option(code, v)
	}
	return overload
}

// option keeps one option if it is on the allow-list.
func (m *DHCPv4) option(code uint8, v []byte) {
	switch code {
	case 12:
		m.Hostname.setOnce(v)
	case 60:
		m.VendorClass.setOnce(v)
	case 161:
		m.MUDURL.setOnce(bareURL(v))
	case 55:
		if m.PRLLen == 0 {
			m.PRLLen = uint8(copy(m.PRL[:], v))
		}
	case 61:
		m.clientID(v)
	case 81:
		m.fqdn(v)
	default:
		m.number(code, v)
	}
}

// number keeps the options that are addresses and integers.
func (m *DHCPv4) number(code uint8, v []byte) {
	switch {
	case code == 53 && len(v) == 1:
		m.MessageType = v[0]
	case code == 50 && len(v) == 4:
		m.RequestedIP = [4]byte(v)
	case code == 54 && len(v) == 4:
		m.ServerID = [4]byte(v)
	case code == 51 && len(v) == 4:
		m.LeaseSeconds = binary.BigEndian.Uint32(v)
	case code == 57 && len(v) == 2:
		m.MaxSize = binary.BigEndian.Uint16(v)
	case code == 93 && len(v) >= 2:
		m.Arch, m.HasArch = binary.BigEndian.Uint16(v), true
	case code == 124 && len(v) >= 4:
		m.VendorPEN = binary.BigEndian.Uint32(v)
	}
}

// clientID reads option 61: a hardware type and address (RFC 2132 §9.14), or
// 255, an IAID and a DUID (RFC 4361 §6.1). Of the latter only the link-layer
// address of the types LLT and LL is kept (RFC 8415 §11.2, §11.4).
func (m *DHCPv4) clientID(v []byte) {
	if len(v) == 0 {
		return
	}
	m.ClientIDType, m.ClientIDLen = v[0], uint8(len(v))
	var mac []byte
	switch {
	case v[0] == 1 && len(v) == 7:
		mac = v[1:]
	case v[0] == 255 && len(v) == 19 && binary.BigEndian.Uint32(v[5:]) == 0x00010001:
		mac = v[13:] // DUID-LLT: type, hardware type, time
	case v[0] == 255 && len(v) == 15 && binary.BigEndian.Uint32(v[5:]) == 0x00030001:
		mac = v[9:] // DUID-LL: type, hardware type
	default:
		return
	}
	m.ClientIDMAC, m.HasClientIDMAC = [6]byte(mac), true
}

// fqdn reads option 81: flags, two obsolete result codes, and a name which is
// in DNS wire form if bit 2 of the flags is set (RFC 4702 §2.1).
func (m *DHCPv4) fqdn(v []byte) {
	if len(v) < 3 || m.FQDN.n > 0 {
		return
	}
	name := v[3:]
	if v[0]&4 == 0 {
		m.FQDN.set(name)
		return
	}
	for len(name) > 0 && name[0] != 0 && int(name[0]) < len(name) {
		n := int(name[0])
		if !m.FQDN.addLabel(name[1 : 1+n]) {
			return
		}
		name = name[1+n:]
	}
}

// bareURL cuts query, fragment and user information from a URL: authority and
// path are all that may be kept of one.
func bareURL(v []byte) []byte {
	host := 0 // where the authority begins
	for i, c := range v {
		switch {
		case c == '?' || c == '#':
			v = v[:i]
			return cutUser(v, host)
		case c == '/' && host == 0 && i > 0 && v[i-1] == '/':
			host = i + 1
		}
	}
	return cutUser(v, host)
}

// cutUser returns v from its authority on if that has a user part, which
// leaves the scheme out too, and else v.
func cutUser(v []byte, host int) []byte {
	for i := len(v) - 1; i >= host; i-- {
		if v[i] == '@' {
			return v[i+1:]
		}
	}
	return v
}
