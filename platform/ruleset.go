package platform

// The vocabulary of packet rules: nft-shaped values, so that platform/linux
// only translates and platform/fake only interprets. Everything compares with
// reflect.DeepEqual or go-cmp, and nothing points at a device or an index: a
// table loads before the ports exist.

// Family is an nftables address family.
type Family uint8

// Families.
const (
	FamilyBridge Family = iota + 1
	FamilyInet
)

// Table is one nftables table with all it holds, in canonical order: sets and
// chains by name, elements by key, rules in their order.
type Table struct {
	Family Family
	Name   string
	Sets   []Set
	Chains []Chain
}

// KeyType is the type of one field of a set's key.
type KeyType uint8

// Key types, with the bytes each takes in Element.Key.
const (
	KeyEtherAddr KeyType = iota + 1 // 6
	KeyIPv4                         // 4
	KeyIPv6                         // 16
	KeyProto                        // 1, IP protocol number
	KeyService                      // 2, port, network order
	KeyIfName                       // 16, NUL padded
	KeyIfType                       // 2, ARPHRD_*, network order here
	KeyEtherType                    // 2, network order
	KeyICMPType                     // 1
)

// Len is the number of bytes a key field takes.
func (t KeyType) Len() int {
	switch t {
	case KeyEtherAddr:
		return 6
	case KeyIPv4:
		return 4
	case KeyIPv6, KeyIfName:
		return 16
	case KeyProto, KeyICMPType:
		return 1
	case KeyService, KeyIfType, KeyEtherType:
		return 2
	}
	return 0
}

// Set is a named set, or a verdict map if Map is set.
type Set struct {
	Name     string
	Key      []KeyType // one field, or a concatenation
	Map      bool      // elements carry verdicts
	Interval bool      // elements may be ranges [Key, KeyEnd], made disjoint
	Timeout  bool      // elements may expire
	Counter  bool      // elements count packets
	Size     uint32    // most elements the kernel lets in, 0: its default
	Comment  string
	Elements []Element
}

// Element is one element of a set. Key is the concatenation of its fields'
// bytes without padding.
type Element struct {
	Key     string // bytes; a string so that elements compare and sort
	KeyEnd  string // last key of the range, inclusive, field by field; "": one key
	Verdict Verdict
	// Timeout is how long the element lives from its insertion, in
	// milliseconds, 0 for ever; Expires is what is left of it when read back.
	Timeout, Expires int64
	// Packets and Bytes are read back where the set counts.
	Packets, Bytes uint64
}

// Chain is a base chain (Hook set) or one to jump to.
type Chain struct {
	Name  string
	Hook  *Hook
	Rules []Rule
}

// Hook ties a base chain to the packet path.
type Hook struct {
	Point    HookPoint
	Priority int32
	Drop     bool // policy drop; the zero value is policy accept
}

// HookPoint is where a base chain sits.
type HookPoint uint8

// Hook points.
const (
	HookPrerouting HookPoint = iota + 1
	HookForward
)

// Rule is matched left to right; then come, in this order, the limit (over it
// the rule does not match), the log, the counter, and the verdict or map.
type Rule struct {
	Matches []Match
	Limit   *Limit
	Log     *Log
	Counter bool
	Verdict Verdict // zero: go on with the next rule
	VMap    *VMap
	Comment string
	// Packets and Bytes are read back where the rule counts.
	Packets, Bytes uint64
	// Foreign marks a rule read back that this vocabulary cannot say; nothing
	// else of it is kept. It never equals a rule of ours.
	Foreign bool
}

// Limit is a token bucket.
type Limit struct {
	PerSecond uint64
	Burst     uint32
}

// Log sends a copy of the packet's first Snaplen bytes (from layer 3) to an
// NFLOG group.
type Log struct {
	Group   uint16
	Snaplen uint32
	Prefix  string
}

// VMap looks the fields up in a verdict map; no element: next rule.
type VMap struct {
	Fields []Field
	Map    string
}

// Op is how a Match compares.
type Op uint8

// Operators.
const (
	OpEq    Op = iota + 1 // (field & Mask) == Value
	OpNeq                 // (field & Mask) != Value
	OpIn                  // fields in Set, or field in Values where Set is ""
	OpNotIn               // the opposite
)

// Match is one condition. A field that the packet does not have (a port of an
// ARP frame) makes the rule not match, whatever the operator.
type Match struct {
	Fields []Field // one; several only with a named set
	Op     Op
	Mask   string   // bytes, "" for all ones
	Value  string   // bytes, for OpEq and OpNeq
	Values []string // anonymous set, sorted
	Set    string   // named set
}

// Field is something a rule can read of a packet.
type Field uint8

// Fields, with nft's spelling and their length in bytes. Multi-byte numbers are
// in network order in Match.Value and Element.Key.
const (
	MetaProtocol Field = iota + 1 // meta protocol: inner EtherType, VLAN or not; 2
	MetaL4Proto                   // meta l4proto: after IPv6 extension headers; 1
	MetaIIFName                   // iifname; 16
	MetaOIFName                   // oifname; 16
	MetaIIFType                   // meta iiftype; 2
	MetaPktType                   // meta pkttype: 0 host 1 broadcast 2 multicast 3 other; 1
	EtherSaddr                    // 6
	EtherDaddr                    // 6
	ARPOp                         // arp operation; 2
	ARPSenderHW                   // arp saddr ether; 6
	ARPSenderIP                   // arp saddr ip; 4
	ARPTargetIP                   // arp daddr ip; 4
	IPv4Saddr                     // 4
	IPv4Daddr                     // 4
	IPv4FragOff                   // flags and fragment offset; 2
	IPv6Saddr                     // 16
	IPv6Daddr                     // 16
	IPv6FragOff                   // exthdr frag: offset and M flag; 2. Absent without the header
	NDTarget                      // target of a neighbour solicitation or advertisement; 16
	THSport                       // th sport; 2
	THDport                       // th dport; 2
	TCPFlags                      // 1
	ICMPType                      // 1
	ICMPv6Type                    // 1
)

// Len is the number of bytes of the field.
func (f Field) Len() int {
	switch f {
	case EtherSaddr, EtherDaddr, ARPSenderHW:
		return 6
	case ARPSenderIP, ARPTargetIP, IPv4Saddr, IPv4Daddr:
		return 4
	case IPv6Saddr, IPv6Daddr, NDTarget, MetaIIFName, MetaOIFName:
		return 16
	case MetaL4Proto, MetaPktType, TCPFlags, ICMPType, ICMPv6Type:
		return 1
	case MetaProtocol, MetaIIFType, ARPOp, IPv4FragOff, IPv6FragOff, THSport, THDport:
		return 2
	}
	return 0
}

// VerdictKind is what becomes of a packet.
type VerdictKind uint8

// Verdicts; the zero value means none.
const (
	Accept VerdictKind = iota + 1
	Drop
	Return
	Jump
	Goto
)

// Verdict is a verdict with the chain it names, if any.
type Verdict struct {
	Kind  VerdictKind
	Chain string
}
