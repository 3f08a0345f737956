package wire

import (
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
// (RFC 6763): for each a PTR, SRV and TXT record, and the host's address.
func Announcement(instance, host string, addr netip.Addr, services []Service) []byte {
	hostName := dnsName(host, "local")
	var records be
	n := uint16(0)
	record := func(name []byte, typ, class uint16, ttl uint32, data []byte) {
		records = records.bytes(name).u16(typ).u16(class).u32(ttl).len16(data)
		n++
	}
	for _, s := range services {
		typ := append([]string{}, strings.Split(s.Type, ".")...)
		service := dnsName(append(typ, "local")...)
		full := dnsName(append(append([]string{instance}, typ...), "local")...)
		record(dnsName("_services", "_dns-sd", "_udp", "local"), dnsPTR, dnsIN, 4500, service)
		record(service, dnsPTR, dnsIN, 4500, full)
		record(full, dnsSRV, dnsIN|dnsFlush, 120, be(nil).u16(0).u16(0).u16(s.Port).bytes(hostName))
		var txt be
		for _, kv := range s.TXT {
			txt = txt.u8(byte(len(kv))).bytes([]byte(kv))
		}
		record(full, dnsTXT, dnsIN|dnsFlush, 4500, txt)
	}
	record(hostName, dnsA, dnsIN|dnsFlush, 120, v4(addr))
	// Header: id 0, response and authoritative, no question, n answers.
	return be(nil).u16(0).u16(0x8400).u16(0).u16(n).u16(0).u16(0).bytes(records)
}

// dnsName encodes labels without compression (RFC 1035 3.1), each cut at 63
// octets.
func dnsName(labels ...string) []byte {
	var b be
	for _, l := range labels {
		if len(l) > 63 {
			l = l[:63]
		}
		if l != "" {
			b = b.u8(byte(len(l))).bytes([]byte(l))
		}
	}
	return b.u8(0)
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
