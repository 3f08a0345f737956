package wire

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// MDNSPort and MDNSGroup are where multicast DNS speaks (RFC 6762).
const MDNSPort = 5353

// MDNSGroup is the IPv4 group of multicast DNS.
func MDNSGroup() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 0, 251}) }

// DNS record types and classes.
const (
	dnsA     = 1
	dnsPTR   = 12
	dnsTXT   = 16
	dnsSRV   = 33
	dnsIN    = 1
	dnsFlush = 0x8000 // cache flush: the record is the sender's own (RFC 6762 10.2)
)

// Service is one DNS-SD service of a host.
type Service struct {
	Type string // "_ipp._tcp"
	Port uint16
	TXT  []string // "key=value"
}

// Announcement is a multicast DNS response that announces a host's services
// (RFC 6763): for each a PTR, SRV and TXT record, and the host's address. Names
// are compressed (RFC 1035 4.1.4), so that it fits a frame.
func Announcement(instance, host string, addr netip.Addr, services []Service) []byte {
	m := message{be: be(nil).u16(0).u16(0x8400).u16(0).u16(0).u16(0).u16(0), names: map[string]int{}}
	n := uint16(0)
	record := func(typ, class uint16, ttl uint32, data func(), name ...string) {
		m.name(name...)
		m.be = m.u16(typ).u16(class).u32(ttl).u16(0)
		at := len(m.be)
		data()
		binary.BigEndian.PutUint16(m.be[at-2:], uint16(len(m.be)-at))
		n++
	}
	for _, s := range services {
		typ := append(strings.Split(s.Type, "."), "local")
		full := append([]string{instance}, typ...)
		record(dnsPTR, dnsIN, 4500, func() { m.name(typ...) }, "_services", "_dns-sd", "_udp", "local")
		record(dnsPTR, dnsIN, 4500, func() { m.name(full...) }, typ...)
		record(dnsSRV, dnsIN|dnsFlush, 120, func() {
			m.be = m.u16(0).u16(0).u16(s.Port)
			m.name(host, "local")
		}, full...)
		record(dnsTXT, dnsIN|dnsFlush, 4500, func() {
			for _, kv := range s.TXT {
				m.be = m.u8(byte(len(kv))).bytes([]byte(kv))
			}
		}, full...)
	}
	record(dnsA, dnsIN|dnsFlush, 120, func() { m.be = m.bytes(v4(addr)) }, host, "local")
	binary.BigEndian.PutUint16(m.be[6:], n) // all are answers
	return m.be
}

// message is a DNS message in the making.
type message struct {
	be
	names map[string]int // offset of each name written so far
}

// name writes a name, as a pointer from the first label on that has been
// written before.
func (m *message) name(labels ...string) {
	for i, l := range labels {
		rest := strings.Join(labels[i:], "\x00")
		if at, ok := m.names[rest]; ok {
			m.be = m.u16(0xC000 | uint16(at))
			return
		}
		if len(m.be) < 0x4000 {
			m.names[rest] = len(m.be)
		}
		m.be = m.u8(byte(min(len(l), 63))).bytes([]byte(l[:min(len(l), 63)]))
	}
	m.be = m.u8(0)
}

// dnsName encodes labels without compression (RFC 1035 3.1), each cut at 63
// octets.
func dnsName(labels ...string) []byte {
	m := message{names: map[string]int{}}
	m.name(labels...)
	return m.be
}

// Query asks a unicast server for a name's address.
func Query(id uint16, name string) []byte {
	return be(nil).u16(id).u16(0x0100).u16(1).u16(0).u16(0).u16(0).
		bytes(dnsName(strings.Split(name, ".")...)).u16(dnsA).u16(dnsIN)
}

// Answer answers a Query with one address, TTL 60 s; ok is false for anything
// that is no single question.
func Answer(query []byte, addr netip.Addr) (reply []byte, ok bool) {
	if len(query) < 17 || query[2]&0x80 != 0 || query[4] != 0 || query[5] != 1 {
		return nil, false
	}
	end := 12
	for end < len(query) && query[end] != 0 {
		if query[end] > 63 {
			return nil, false
		}
		end += int(query[end]) + 1
	}
	end += 5 // root label, type, class
	if end > len(query) {
		return nil, false
	}
	r := be(nil).bytes(query[:2]).u16(0x8180).u16(1).u16(1).u16(0).u16(0).bytes(query[12:end])
	return r.u16(0xC00C).u16(dnsA).u16(dnsIN).u32(60).len16(v4(addr)), true
}
