package dissect

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unhex decodes a test vector.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lldpMEDVector is a synthetic frame of a station with an MED inventory.
const lldpMEDVector = "0180c200000e02000000000188cc020704020000000001040703020000000001060200780a0874657374686f73740c0b54657374204f5320312e300e04002400" +
	"20fe070012bb01003f03fe070012bb05485731fe070012bb06465732fe070012bb07535733fe0a0012bb08534e30303030fe080012bb0941434d45fe090012bb" +
	"0a4d2d313030fe0a0012bb0b4153534554310000"

// tlv returns one LLDP TLV.
func tlv(kind int, v string) string {
	return string([]byte{byte(kind<<1 | len(v)>>8), byte(len(v))}) + v
}

const chassis = "\x02\x07\x04\x02\x00\x00\x00\x00\x01"

func TestLLDP(t *testing.T) {
	base := LLDP{ChassisSubtype: 4, ChassisMAC: [6]byte{2, 0, 0, 0, 0, 1}}
	with := func(f func(*LLDP)) LLDP { m := base; f(&m); return m }
	tests := []struct {
		name string
		b    string
		want LLDP
	}{
		{"vector", string(unhex(t, lldpMEDVector)[14:]), with(func(m *LLDP) {
			m.TTL, m.SystemName, m.SystemDesc, m.Capabilities, m.Enabled, m.MEDClass = 120, TextOf("testhost"), TextOf("Test OS 1.0"), 0x24, 0x20, 3
			m.Hardware, m.Firmware, m.Software, m.Serial = TextOf("HW1"), TextOf("FW2"), TextOf("SW3"), TextOf("SN0000")
			m.Manufacturer, m.Model, m.Asset = TextOf("ACME"), TextOf("M-100"), TextOf("ASSET1")
		})},
		{"chassis only", chassis, base},
		{"chassis by name", tlv(1, "\x07room"), LLDP{ChassisSubtype: 7}},
		{"MUD URL", chassis + tlv(127, "\x00\x00\x5e\x01https://mud.example/x?y"), with(func(m *LLDP) { m.MUDURL = TextOf("https://mud.example/x") })},
		{"the first name counts", chassis + tlv(5, "one") + tlv(5, "two"), with(func(m *LLDP) { m.SystemName = TextOf("one") })},
		{"the first chassis counts", chassis + tlv(1, "") + tlv(1, "\x07x"), base},
		{"nothing behind the end", chassis + "\x00\x00" + tlv(5, "pad"), base},
		{"a TLV cut short", chassis + tlv(5, "name")[:4], base},
		{"odd lengths", chassis + tlv(3, "x") + tlv(7, "xyz") + tlv(127, "\x00\x12\xbb") + tlv(127, "\x00\x12\xbb\x01\x00"), base},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := LLDP{Model: TextOf("left over")}
			if !m.Decode([]byte(tt.b)) {
				t.Fatal("not recognised")
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestLLDPRefuses(t *testing.T) {
	for _, b := range []string{"", "\x02", "\x00\x00", tlv(5, "name first"), chassis[:8], tlv(1, "\x04"), tlv(1, "\x00x") + tlv(1, "")} {
		if new(LLDP).Decode([]byte(b)) {
			t.Errorf("%q: recognised", b)
		}
	}
}

func TestLLDPAllocs(t *testing.T) {
	b, m := unhex(t, lldpMEDVector)[14:], new(LLDP)
	noAllocs(t, func() { m.Decode(b) })
}

func FuzzLLDP(f *testing.F) {
	f.Add(unhex(f, lldpMEDVector)[14:])
	f.Fuzz(func(t *testing.T, b []byte) {
		var m LLDP
		m.Decode(b)
		checkMessage(t, &m)
	})
}
