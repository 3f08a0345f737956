package extract_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// The frames of the tests are written from the standards, byte by byte.

// be appends numbers in network order and strings as they are.
func be(v ...any) (b []byte) {
	for _, v := range v {
		switch v := v.(type) {
		case uint8:
			b = append(b, v)
		case uint16:
			b = binary.BigEndian.AppendUint16(b, v)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, v)
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		case fact.MAC:
			b = append(b, v[:]...)
		case netip.Addr:
			b = append(b, v.AsSlice()...)
		default:
			panic("the test writes a type that it cannot")
		}
	}
	return b
}

// end is one end of a conversation.
type end struct {
	mac  fact.MAC
	ip   netip.Addr
	port uint16
}

func at(last byte, ip string, port uint16) end {
	return end{fact.MAC{2, 0, 0, 0, 0, last}, netip.MustParseAddr(ip), port}
}

var broadcast = fact.MAC{255, 255, 255, 255, 255, 255}

func ethernet(from, to end, kind uint16, payload []byte) []byte {
	return be(to.mac, from.mac, kind, payload)
}

func ipv4(from, to end, proto uint8, payload []byte) []byte {
	return ethernet(from, to, 0x0800, be(uint8(0x45), uint8(0), uint16(20+len(payload)), uint32(0), uint8(64), proto, uint16(0),
		from.ip, to.ip, payload))
}

func udp(from, to end, payload []byte) []byte {
	return ipv4(from, to, 17, be(from.port, to.port, uint16(8+len(payload)), uint16(0), payload))
}

const (
	fin = 1
	syn = 2
	rst = 4
	ack = 16
)

func segment(from, to end, flags uint8, seq uint32, data []byte) []byte {
	return be(from.port, to.port, seq, uint32(1), uint8(0x50), flags, uint16(0xffff), uint32(0), data)
}

func tcp(from, to end, flags uint8, seq uint32, data []byte) []byte {
	return ipv4(from, to, 6, segment(from, to, flags, seq, data))
}

// fragments cuts the payload of an IPv4 frame into fragments of size bytes.
func fragments(frame []byte, size int) (out [][]byte) {
	head, data := frame[:34], frame[34:]
	for off := 0; off < len(data); off += size {
		piece := data[off:min(off+size, len(data))]
		f := append(slices.Clone(head), piece...)
		part := uint16(off / 8)
		if off+size < len(data) {
			part |= 0x2000
		}
		binary.BigEndian.PutUint16(f[16:], uint16(20+len(piece)))
		binary.BigEndian.PutUint32(f[18:], 7<<16|uint32(part))
		out = append(out, f)
	}
	return out
}

// dhcp is a request with options; relay is giaddr.
func dhcp(op uint8, client fact.MAC, relay string, options ...any) []byte {
	none := netip.MustParseAddr("0.0.0.0")
	b := be(op, uint8(1), uint8(6), uint8(0), uint32(1), uint32(0), none, none, none, netip.MustParseAddr(relay), client)
	b = append(b, make([]byte, 236-len(b))...)
	return be(b, uint32(0x63825363), be(options...), uint8(255))
}

func option(code uint8, v string) []byte { return be(code, uint8(len(v)), v) }

// name writes a DNS name.
func name(labels ...string) (b []byte) {
	for _, l := range labels {
		b = be(b, uint8(len(l)), l)
	}
	return append(b, 0)
}

func record(owner []byte, kind uint16, data []byte) []byte {
	return be(owner, kind, uint16(1), uint32(120), uint16(len(data)), data)
}

// mdns is a message with answers; flags 0x8400 for a response.
func mdns(flags uint16, answers ...[]byte) []byte {
	return be(uint16(0), flags, uint16(0), uint16(len(answers)), uint32(0), slices.Concat(answers...))
}

func tlv(kind uint16, v ...any) []byte {
	b := be(v...)
	return be(kind<<9|uint16(len(b)), b)
}

// item is an item of a DICOM association.
func item(kind uint8, v ...any) []byte {
	b := be(v...)
	return be(kind, uint8(0), uint16(len(b)), b)
}

func aeTitle(s string) string { return (s + "                ")[:16] }

func pdu(kind uint8, v ...any) []byte {
	b := be(v...)
	return be(kind, uint8(0), uint32(len(b)), b)
}

// associate is an association request (1) or its acceptance (2).
func associate(kind uint8, called, calling string, items ...[]byte) []byte {
	return pdu(kind, uint16(1), uint16(0), aeTitle(called), aeTitle(calling), make([]byte, 32),
		item(0x10, "1.2.840.10008.3.1.1.1"), slices.Concat(items...),
		item(0x50, item(0x51, uint32(16384)), item(0x52, "1.2.3.4"), item(0x55, "TEST_1")))
}

// clientHello is the first flight of a real client.
func clientHello(t testing.TB, serverName string) []byte {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go tls.Client(a, &tls.Config{ServerName: serverName, NextProtos: []string{"h2", "http/1.1"}}).HandshakeContext(ctx)
	head := make([]byte, 5)
	if _, err := readFull(b, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := readFull(b, body); err != nil {
		t.Fatal(err)
	}
	return append(head, body...)
}

func readFull(c net.Conn, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var k int
		k, err = c.Read(b[n:])
		n += k
	}
	if n == len(b) {
		err = nil
	}
	return n, err
}

// frame wraps bytes; seconds is its time.
func frame(dir platform.Direction, seconds float64, b []byte) platform.Frame {
	return platform.Frame{
		Data: b, Length: len(b), Dir: dir, Link: platform.LinkEthernet, Time: int64(1.7e18) + int64(seconds*1e9),
	}
}
