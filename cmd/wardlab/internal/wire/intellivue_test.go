package wire

import (
	"encoding/binary"
	"strings"
	"testing"
)

func monitor() MonitorIdentity {
	return MonitorIdentity{MAC: MAC{0, 9, 0xfb, 1, 2, 3}, Addr: addr("192.0.2.7"), Mask: addr("255.255.255.0"),
		Model: "866064", Serial: "DE12345678", SW: "L.01.20", Part: "S-M8003-1402A", Invoke: 1}
}

func TestConnectIndicationLengths(t *testing.T) {
	b := ConnectIndication(monitor())
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	for _, tt := range []struct {
		what      string
		got, want int
	}{
		{"nomenclature", int(binary.BigEndian.Uint32(b)), 0x100},
		{"remote operation", u16(4), 1},
		{"length of the operation", u16(6), len(b) - 8},
		{"command", u16(10), 0},
		{"length of the command", u16(12), len(b) - 14},
		{"object class", u16(14), 0x23},
		{"event type", u16(24), 0x0D17},
		{"length of the event", u16(26), len(b) - 28},
		{"attributes", u16(28), 8},
		{"length of the attributes", u16(30), len(b) - 32},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %#x, want %#x", tt.what, tt.got, tt.want)
		}
	}
}

func TestConnectIndicationAttributes(t *testing.T) {
	b := ConnectIndication(monitor())
	got := map[uint16][]byte{}
	for a := b[32:]; len(a) > 0; {
		n := int(binary.BigEndian.Uint16(a[2:]))
		got[binary.BigEndian.Uint16(a)] = a[4 : 4+n]
		a = a[4+n:]
	}
	if want := "\x00\x08\x00\x09\xfb\xff\xff\x01\x02\x03"; string(got[attrSysID]) != want {
		t.Errorf("system id % x, want % x", got[attrSysID], want)
	}
	if want := "\x00\x08Philips\x00\x00\x08866064\x00\x00"; string(got[attrModel]) != want {
		t.Errorf("model %q, want %q", got[attrModel], want)
	}
	spec := string(got[attrProdSpec])
	for _, want := range []string{"\x00\x01\x00\x08\x00\x0cDE12345678\x00\x00", "\x00\x04\x00\x58\x00\x08L.01.20\x00", "\x00\x02\x00\x58\x00\x0eS-M8003-1402A\x00"} {
		if !strings.Contains(spec, want) {
			t.Errorf("production specification lacks %q", want)
		}
	}
}

func TestAssociation(t *testing.T) {
	for name, b := range map[string][]byte{"request": AssociationRequest(), "accept": AssociationAccept()} {
		if n := int(b[1]); n != len(b)-2 || n == 255 {
			t.Errorf("%s: length indicator %d of %d octets", name, n, len(b)-2)
		}
		if !strings.Contains(string(b), "\x2A\x86\x48\xCE\x14\x02\x01\x00\x00\x00\x01\x01") {
			t.Errorf("%s: object identifier of IEEE 1073 missing", name)
		}
	}
	if AssociationRequest()[0] != SessionConnect || AssociationAccept()[0] != SessionAccept {
		t.Error("session type wrong")
	}
}

func TestPoll(t *testing.T) {
	for name, b := range map[string][]byte{"request": PollRequest(7), "reply": PollReply(7, 8000, []uint16{72, 98})} {
		if got := int(binary.BigEndian.Uint16(b[6:])); got != len(b)-8 {
			t.Errorf("%s: operation length %d, want %d", name, got, len(b)-8)
		}
		if invoke, ok := PollInvoke(b); invoke != 7 || !ok {
			t.Errorf("%s: invoke id %d, %v", name, invoke, ok)
		}
	}
	if _, ok := PollInvoke([]byte{0xE1, 0}); ok {
		t.Error("a short datagram passes as a poll")
	}
}
