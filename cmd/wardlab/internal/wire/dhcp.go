package wire

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// DHCP message types (RFC 2132 9.6).
const (
	DHCPDiscover = 1
	DHCPOffer    = 2
	DHCPRequest  = 3
	DHCPAck      = 5
	DHCPNak      = 6
)

// DHCP is a message as the lab's clients and its server use it. A zero field is
// left out of the message.
type DHCP struct {
	Type        byte
	Reply       bool // BOOTREPLY: from the server
	Xid         uint32
	Client      MAC
	YourIP      netip.Addr
	Requested   netip.Addr // option 50
	ServerID    netip.Addr // option 54
	Mask        netip.Addr // option 1
	Router      netip.Addr // option 3
	DNS         netip.Addr // option 6
	LeaseS      uint32     // option 51, seconds
	Host        string     // option 12
	FQDN        string     // option 81, in the ASCII form of Windows clients
	VendorClass string     // option 60
	MaxSize     uint16     // option 57, octets
	Params      []byte     // option 55, order kept
}

// Offsets of the fixed BOOTP part (RFC 2131 figure 1).
const (
	dhcpXid     = 4
	dhcpFlags   = 10
	dhcpYiaddr  = 16
	dhcpChaddr  = 28
	dhcpMagic   = 236
	dhcpOptions = 240
)

// Marshal writes the UDP payload, padded to the 300 octets of a BOOTP message.
func (d DHCP) Marshal() []byte {
	b := make([]byte, dhcpOptions, 400)
	b[0], b[1], b[2] = 1, 1, 6
	if d.Reply {
		b[0] = 2
	}
	binary.BigEndian.PutUint32(b[dhcpXid:], d.Xid)
	b[dhcpFlags] = 0x80 // broadcast flag: a client without address cannot take unicast
	copy(b[dhcpYiaddr:], v4(d.YourIP))
	copy(b[dhcpChaddr:], d.Client[:])
	copy(b[dhcpMagic:], []byte{0x63, 0x82, 0x53, 0x63})
	opt := func(code byte, v []byte) {
		if len(v) > 0 && len(v) < 256 {
			b = append(append(b, code, byte(len(v))), v...)
		}
	}
	addr := func(code byte, a netip.Addr) {
		if a.IsValid() {
			opt(code, v4(a))
		}
	}
	opt(53, []byte{d.Type})
	if !d.Reply {
		opt(61, append([]byte{1}, d.Client[:]...))
	}
	addr(50, d.Requested)
	addr(54, d.ServerID)
	addr(1, d.Mask)
	addr(3, d.Router)
	addr(6, d.DNS)
	if d.LeaseS != 0 {
		opt(51, binary.BigEndian.AppendUint32(nil, d.LeaseS))
	}
	opt(12, []byte(d.Host))
	if d.FQDN != "" {
		opt(81, append([]byte{0, 0, 0}, d.FQDN...))
	}
	if d.MaxSize != 0 {
		opt(57, binary.BigEndian.AppendUint16(nil, d.MaxSize))
	}
	opt(60, []byte(d.VendorClass))
	opt(55, d.Params)
	b = append(b, 255)
	for len(b) < 300 {
		b = append(b, 0)
	}
	return b
}

// Errors of ParseDHCP.
var (
	errDHCPShort  = errors.New("dhcp message shorter than its fixed part")
	errDHCPMagic  = errors.New("dhcp magic cookie missing")
	errDHCPOption = errors.New("dhcp option runs past the message")
)

// ParseDHCP reads what a lab host must know of a message.
func ParseDHCP(b []byte) (DHCP, error) {
	if len(b) < dhcpOptions {
		return DHCP{}, errDHCPShort
	}
	if binary.BigEndian.Uint32(b[dhcpMagic:]) != 0x63825363 {
		return DHCP{}, errDHCPMagic
	}
	d := DHCP{
		Reply:  b[0] == 2,
		Xid:    binary.BigEndian.Uint32(b[dhcpXid:]),
		Client: MAC(b[dhcpChaddr : dhcpChaddr+6]),
		YourIP: netip.AddrFrom4([4]byte(b[dhcpYiaddr : dhcpYiaddr+4])),
	}
	for o := b[dhcpOptions:]; len(o) > 0 && o[0] != 255; {
		if o[0] == 0 {
			o = o[1:]
			continue
		}
		if len(o) < 2 || len(o) < 2+int(o[1]) {
			return DHCP{}, errDHCPOption
		}
		d.option(o[0], o[2:2+int(o[1])])
		o = o[2+int(o[1]):]
	}
	return d, nil
}

func (d *DHCP) option(code byte, v []byte) {
	var a netip.Addr
	if len(v) >= 4 {
		a = netip.AddrFrom4([4]byte(v[:4]))
	}
	switch code {
	case 53:
		if len(v) == 1 {
			d.Type = v[0]
		}
	case 50:
		d.Requested = a
	case 54:
		d.ServerID = a
	case 1:
		d.Mask = a
	case 3:
		d.Router = a
	case 6:
		d.DNS = a
	case 12:
		d.Host = string(v)
	}
}
