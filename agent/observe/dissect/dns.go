package dissect

// Record types that DNS.Next reads further than their name.
const (
	DNSTypeA     = 1
	DNSTypeCNAME = 5
	DNSTypePTR   = 12
	DNSTypeTXT   = 16
	DNSTypeAAAA  = 28
	DNSTypeSRV   = 33
)

// DNSSection is the part of the message that a record stands in.
type DNSSection uint8

// The sections in the order of the wire. The zero value is none of them.
const (
	_ DNSSection = iota
	DNSQuestion
	DNSAnswer
	DNSAuthority
	DNSAdditional
)

// DNS is the header of a DNS or mDNS message (RFC 1035, 6762) and a cursor
// over its records: Decode, then Next with the same bytes until it is false.
//
// phi: never read: TXT keys outside the allow-list of dnstxt.go, data of
// record types other than those above, and DNS-SD instance names ("Anna's
// tablet._airplay._tcp.local": only the service type is kept, RFC 6763 §4.1).
type DNS struct {
	ID          uint16
	Response    bool
	Opcode      uint8
	Rcode       uint8
	Questions   uint16
	Answers     uint16
	Authorities uint16
	Additionals uint16

	off  int // of the next record
	done int // records read so far
}

// DNSRecord is one question or resource record.
type DNSRecord struct {
	Section DNSSection
	Name    Name
	// Instance tells that Name was "<instance>.<service>" and the instance
	// was left out.
	Instance bool
	Type     uint16
	Class    uint16 // without the top bit
	// Flush is the top bit of the class: cache flush in an mDNS answer,
	// unicast response wanted in an mDNS question (RFC 6762 §5.4, §10.2).
	Flush bool
	TTL   uint32 // seconds

	Target         Name     // of PTR, SRV and CNAME
	TargetInstance bool     // Target was "<instance>.<service>", as Instance
	Port           uint16   // of SRV
	Addr           [16]byte // of A (first four bytes) and AAAA
	TXT            [maxTXT]DNSTXT
	TXTLen         uint8
}

// maxTXT is how many allowed TXT strings of one record are kept.
const maxTXT = 8

// DNSTXT is one allowed "key=value" string of a TXT record (RFC 6763 §6).
type DNSTXT struct {
	Key   TXTKey
	Value Text
}

// TXTKey is a TXT key on the allow-list.
type TXTKey uint8
