package dissect

import "encoding/binary"

// Record types that DNS.Next reads further than their name (RFC 1035 §3.2.2,
// 3596, 2782).
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

const (
	dnsHeader     = 12
	dnsMinRecord  = 5   // a question for the root
	dnsMaxRecords = 512 // read of one message
	dnsMaxOpcode  = 6   // RFC 8490
)

// DNS is the header of a DNS or mDNS message (RFC 1035, 6762) and a cursor
// over its records: Decode, then Next with the same bytes until it is false.
//
// phi: never read: TXT keys outside the allow-list of dnstxt.go, data of
// record types other than those above, and DNS-SD instance names ("Anna's
// tablet._airplay._tcp.local": only the service type is kept, RFC 6763 §4.1).
// A host name may hold a person's name: whoever keeps it tests for that.
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
	// Instance tells that Name was "<instance>.<service>" and that the
	// instance was left out.
	Instance bool
	Type     uint16
	Class    uint16 // without the top bit
	// Flush is the top bit of the class: cache flush in an mDNS answer,
	// unicast response wanted in an mDNS question (RFC 6762 §10.2, §5.4).
	Flush bool
	TTL   uint32 // seconds

	Target         Name     // of PTR, SRV and CNAME
	TargetInstance bool     // Target was "<instance>.<service>", as Instance
	Port           uint16   // of SRV
	Addr           [16]byte // of A (first four bytes) and AAAA
	TXT            [maxTXT]DNSTXT
	TXTLen         uint8
}

// Decode reads the header of a UDP payload. It is false when the bytes cannot
// be a DNS message: more records announced than there is room for, or a first
// name that is none.
func (m *DNS) Decode(b []byte) bool {
	*m = DNS{}
	if len(b) < dnsHeader+dnsMinRecord {
		return false
	}
	m.ID = binary.BigEndian.Uint16(b)
	m.Response = b[2]&0x80 != 0
	m.Opcode = b[2] >> 3 & 15
	m.Rcode = b[3] & 15
	m.Questions = binary.BigEndian.Uint16(b[4:])
	m.Answers = binary.BigEndian.Uint16(b[6:])
	m.Authorities = binary.BigEndian.Uint16(b[8:])
	m.Additionals = binary.BigEndian.Uint16(b[10:])
	if n := m.records(); n == 0 || n*dnsMinRecord > len(b)-dnsHeader || m.Opcode > dnsMaxOpcode {
		return false
	}
	m.off = dnsHeader
	var l labels
	return l.parse(b, m.off) > 0
}

// records is the number of records that the header announces.
func (m *DNS) records() int {
	return int(m.Questions) + int(m.Answers) + int(m.Authorities) + int(m.Additionals)
}

// section is the section of the record that comes next, or 0 behind the last.
func (m *DNS) section() DNSSection {
	n := m.done
	for i, count := range [...]uint16{m.Questions, m.Answers, m.Authorities, m.Additionals} {
		if n < int(count) {
			return DNSQuestion + DNSSection(i)
		}
		n -= int(count)
	}
	return 0
}

// Next reads the next record of b, the bytes that Decode was given, into r.
// It is false behind the last record and at a malformed one.
func (m *DNS) Next(b []byte, r *DNSRecord) bool {
	*r = DNSRecord{}
	section := m.section()
	if section == 0 || m.done >= dnsMaxRecords || m.off < dnsHeader {
		return false
	}
	m.done++
	var l labels
	off := l.parse(b, m.off)
	if off == 0 || len(b)-off < 4 {
		m.off = 0
		return false
	}
	r.Section = section
	r.Instance = l.name(b, &r.Name)
	r.Type = binary.BigEndian.Uint16(b[off:])
	class := binary.BigEndian.Uint16(b[off+2:])
	r.Class, r.Flush = class&0x7fff, class&0x8000 != 0
	off += 4
	if section == DNSQuestion {
		m.off = off
		return true
	}
	if len(b)-off < 6 || len(b)-off-6 < int(binary.BigEndian.Uint16(b[off+4:])) {
		m.off = 0
		return false
	}
	r.TTL = binary.BigEndian.Uint32(b[off:])
	size := int(binary.BigEndian.Uint16(b[off+4:]))
	off += 6
	r.data(b[:off+size], off)
	m.off = off + size
	return true
}

// data reads the record's data, which begin at off and end with b. Names in
// them may point back to the whole message.
func (r *DNSRecord) data(b []byte, off int) {
	var l labels
	switch v := b[off:]; r.Type {
	case DNSTypePTR, DNSTypeCNAME:
		if l.parse(b, off) > 0 {
			r.TargetInstance = l.name(b, &r.Target)
		}
	case DNSTypeSRV: // priority, weight, port, target
		if len(v) > 6 && l.parse(b, off+6) > 0 {
			r.Port = binary.BigEndian.Uint16(v[4:])
			r.TargetInstance = l.name(b, &r.Target)
		}
	case DNSTypeA:
		if len(v) == 4 {
			copy(r.Addr[:], v)
		}
	case DNSTypeAAAA:
		if len(v) == 16 {
			r.Addr = [16]byte(v)
		}
	case DNSTypeTXT:
		r.text(v)
	}
}
