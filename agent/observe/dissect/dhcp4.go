package dissect

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
	MUDURL      Text // option 161, without query and fragment

	LeaseSeconds   uint32 // option 51
	MaxSize        uint16 // option 57, bytes
	Arch           uint16 // option 93, valid when HasArch
	HasArch        bool
	VendorPEN      uint32  // option 124, IANA enterprise number
	ClientIDType   uint8   // option 61, first byte; valid when ClientIDLen > 0
	ClientIDLen    uint8   // option 61, bytes
	ClientIDMAC    [6]byte // option 61: type 1, or the link-layer address of a DUID
	HasClientIDMAC bool

	PRL      [64]uint8 // option 55, in the order sent
	PRLLen   uint8
	Order    [64]uint8 // option codes in the order sent, without pad and end
	OrderLen uint8
}
