package dissect

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// intelliVueVector is the synthetic connect indication of protocols.md.
const intelliVueVector = "0000010000010108000000000102002300000000000010000d1700f4000800f00920000400030000098600040001114d09370008000000000000000bf100000e" +
	"0009fb000001c0000214ffffff00f101002c00050028000100035dc04000000200035dc04000000100015e290000000500015e290000000a00015dcc00000984" +
	"000a00080009fbffff0000010928001400085068696c6970730000083836363036320000092d00680006006400010008000c4445303030303030303000090002" +
	"0008000e383636303632000000000000000000030008000820412e30302e33300005007800082d2d2d2d2d2d2d2d00020058000e532d4d383030332d31343032" +
	"41000004005800084c2e30312e31380a"

// acse is the object identifier that opens an association.
const acse = "\x2a\x86\x48\xce\x14\x02\x01\x00\x00\x00\x01\x01"

func TestIntelliVueConnect(t *testing.T) {
	want := IntelliVue{Kind: IntelliVueConnect, SystemID: EUI64{0, 9, 0xfb, 0xff, 0xff, 0, 0, 1}, TypeCode: 0x114d,
		Manufacturer: TextOf("Philips"), Model: TextOf("866062"), Serial: TextOf("DE00000000"), Software: TextOf("L.01.18")}
	m := IntelliVue{RemoteOp: 9}
	if !m.Decode(unhex(t, intelliVueVector)) {
		t.Fatal("not recognised")
	}
	if d := cmp.Diff(want, m, exported); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// connect is a connect indication with the given attributes: id, then value.
func connect(attributes ...string) []byte {
	var list string
	for _, a := range attributes {
		list += a[:2] + string(block16([]byte(a[2:])))
	}
	list = string(u16s(uint16(len(attributes)), uint16(len(list)))) + list
	event := string(u16s(0x23, 0, 0, 0, 0, 0x0d17)) + string(block16([]byte(list)))
	report := "\x00\x00\x00\x00" + string(block16([]byte(event)))
	return []byte("\x00\x00\x01\x00\x00\x01" + string(block16([]byte(report))))
}

func TestIntelliVueAttributesThatLie(t *testing.T) {
	label := func(s string) string { return string(block16([]byte(s))) }
	tests := []struct {
		name string
		b    []byte
		want IntelliVue
	}{
		{"short system id", connect("\x09\x84\x00\x08abc"), IntelliVue{}},
		{"system id of another length", connect("\x09\x84\x00\x07abcdefgh"), IntelliVue{}},
		{"short type, address and specification", connect("\x09\x86\x01", "\xf1\x00abc", "\x09\x2d\x00"), IntelliVue{}},
		{"label past the end", connect("\x09\x28\x00\x09abc"), IntelliVue{}},
		{"second label past the end", connect("\x09\x28" + label("Philips") + "\x00\x09abc"), IntelliVue{}},
		{"specification cut short", connect("\x09\x2d\x00\x02\x00\x00" + "\x00\x01\x00\x08" + label("SN1") + "\x00\x02\x00\x08\x00\x63x"), IntelliVue{}},
		{"never set", connect("\x09\x2d\x00\x02\x00\x13" + "\x00\x01\x00\x08" + label("----") + "\x00\x01\x00\x08" + label("SN2")), IntelliVue{Serial: TextOf("SN2")}},
		{"a count that lies", append(connect(), 0, 0), IntelliVue{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m IntelliVue
			if !m.Decode(tt.b) {
				t.Fatal("not recognised")
			}
			tt.want.Kind = IntelliVueConnect
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
	long := connect("\x09\x84\x00\x08abcdefgh")
	long[len(long)-12-1] = 0xff // the attribute's length
	var m IntelliVue
	if m.Decode(long); !m.SystemID.IsZero() {
		t.Error("read an attribute past the datagram")
	}
}

func TestIntelliVueMessages(t *testing.T) {
	session := func(kind string, body string) []byte { return []byte(kind + string(block8([]byte(body)))) }
	long := strings.Repeat("\x05", 300)
	data := func(op, command uint16) []byte {
		return append(u16s(0xe100, 2, op, 6, 1, command), 0, 0)
	}
	tests := []struct {
		name string
		b    []byte
		want IntelliVue
	}{
		{"request", session("\x0d", "\x05\x08"+acse), IntelliVue{Kind: IntelliVueAssociateRequest}},
		{"long request", []byte("\x0d\xff" + string(block16([]byte(acse+long)))), IntelliVue{Kind: IntelliVueAssociateRequest}},
		{"accept", session("\x0e", "\x05\x08"+acse), IntelliVue{Kind: IntelliVueAssociateAccept}},
		{"refuse", session("\x0c", "\x05\x08"+acse), IntelliVue{Kind: IntelliVueAssociateRefuse}},
		{"release", session("\x09", "\xc1\x16\x61\x80"), IntelliVue{Kind: IntelliVueRelease}},
		{"released", session("\x0a", "\xc1\x16\x61\x80"), IntelliVue{Kind: IntelliVueReleased}},
		{"abort", session("\x19", "\x11\x01\x03\xc1\x29"), IntelliVue{Kind: IntelliVueAbort}},
		{"poll", data(1, 7), IntelliVue{Kind: IntelliVueDataRequest, RemoteOp: 1, Command: 7}},
		{"poll result", data(2, 7), IntelliVue{Kind: IntelliVueDataResponse, RemoteOp: 2, Command: 7}},
		{"linked poll result", data(5, 7), IntelliVue{Kind: IntelliVueDataResponse, RemoteOp: 5}},
		{"error", data(3, 7), IntelliVue{Kind: IntelliVueDataResponse, RemoteOp: 3}},
		{"create event", data(1, 1), IntelliVue{Kind: IntelliVueDataResponse, RemoteOp: 1, Command: 1}},
		{"receipt of the create event", data(2, 1), IntelliVue{Kind: IntelliVueDataRequest, RemoteOp: 2, Command: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := IntelliVue{Serial: TextOf("left over")}
			if !m.Decode(tt.b) {
				t.Fatal("not recognised")
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// mdsCreate is the event by which a monitor answers an association.
func mdsCreate(attributes ...string) []byte {
	list := string(connect(attributes...)[28:])
	event := string(u16s(0x21, 0, 0, 0, 0, 0x0d06)) + string(block16([]byte(string(u16s(0x21, 0, 0))+list)))
	report := string(u16s(1, 1)) + string(block16([]byte(event)))
	return []byte("\xe1\x00\x00\x02\x00\x01" + string(block16([]byte(report))))
}

func TestIntelliVueCreate(t *testing.T) {
	label := func(s string) string { return string(block16([]byte(s))) }
	want := IntelliVue{Kind: IntelliVueCreate, RemoteOp: 1, Command: 1, Manufacturer: TextOf("Philips"), Model: TextOf("866064"), Mode: IntelliVueStandby}
	b := mdsCreate("\x09\x28"+label("Philips")+label("866064"), "\x09\xa7\x00\x06", "\x09\x46\x40\x02", "\x09\x1e"+label("bed"))
	recognised(t, (*IntelliVue).Decode, b, want)
	for bits, mode := range map[uint16]string{0x4000: "monitoring", 0x6000: "demo", 0x5000: "service", 0x0001: "config", 0: ""} {
		var m IntelliVue
		if m.Decode(mdsCreate("\x09\x46" + string(u16s(bits)))); m.Mode.String() != mode {
			t.Errorf("%#x: %q, want %q", bits, m.Mode, mode)
		}
	}
	for at, v := range map[int]byte{11: 0, 15: 0x2a, 25: 7, 26: 0xff, 12: 0xff} {
		lie := bytes.Clone(b)
		lie[at] = v
		var m IntelliVue
		if m.Decode(lie); m.Kind == IntelliVueCreate {
			t.Errorf("byte %d is %#x: a create event", at, v)
		}
	}
}

func TestIntelliVueRefuses(t *testing.T) {
	good := unhex(t, intelliVueVector)
	edit := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for name, b := range map[string][]byte{
		"empty": nil, "short": good[:31], "operation": edit(5, 2), "length": edit(6, 9), "command": edit(11, 1), "event length": edit(12, 9),
		"object": edit(15, 0x2a), "event": edit(25, 6), "first byte": edit(0, 1),
		"data operation": append(u16s(0xe100, 2, 4, 4, 1, 7), 0, 0), "data length": u16s(0xe100, 2, 1, 99, 1, 7),
		"session length": []byte("\x0d\x09" + acse), "request without the identifier": []byte("\x0d\x04abcd"), "release without a body": []byte("\x09\x04abcd"),
		"long form cut": []byte("\x0d\xff\x00\x00"), "another session message": []byte("\x08\x0c" + acse),
	} {
		if new(IntelliVue).Decode(b) {
			t.Errorf("%s: recognised", name)
		}
	}
}

func TestIntelliVueAllocs(t *testing.T) {
	b, m := unhex(t, intelliVueVector), new(IntelliVue)
	request := []byte("\x0d" + string(block8([]byte(acse))))
	noAllocs(t, func() { m.Decode(b); m.Decode(request) })
}

func FuzzIntelliVue(f *testing.F) {
	f.Add(unhex(f, intelliVueVector))
	f.Add([]byte("\x0d" + string(block8([]byte("\x05\x08"+acse)))))
	f.Add(append(u16s(0xe100, 2, 5, 6, 1, 7), 0, 0))
	f.Add(mdsCreate("\x09\xa7\x00\x06", "\x09\x46\x40\x02"))
	f.Add(pollResult(2, ivPoll, ivNumerics, "\x09\x50abcdefghij"))
	f.Add(pollResult(5, ivExtendedPoll, ivMDS, "\x09\x46\x40\x02"))
	f.Add(pollResult(2, ivPoll, ivPatient, "\x09\x57\x00\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m IntelliVue
		m.Decode(b)
		checkMessage(t, &m)
	})
}
