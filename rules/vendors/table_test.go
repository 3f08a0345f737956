package vendors

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

func load(t testing.TB) *Table {
	t.Helper()
	tab, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestEmbedded(t *testing.T) {
	tab := load(t)
	if len(embedded) > 550_000 {
		t.Errorf("table takes %d bytes, the budget is 550 KB", len(embedded))
	}
	if tab.Date() < 20220101 || tab.Len() < 40_000 {
		t.Errorf("table of %d has %d blocks", tab.Date(), tab.Len())
	}
}

// The rows are in the public registry; one of each kind of block.
func TestLookup(t *testing.T) {
	tests := []struct {
		name, mac, want string
		bits            int
	}{
		{"MA-L", "00:12:21:00:00:01", "B.Braun Melsungen AG", 24},
		{"MA-M", "f0:23:b9:b1:23:45", "Q Core Medical Ltd", 28},
		{"MA-M of another owner in the same block", "f0:23:b9:01:23:45", "Aquametro AG", 28},
		{"IAB", "00:50:c2:85:e1:23", "Radiometer Medical ApS", 36},
		{"MA-S", "70:b3:d5:20:c1:23", "Siemens Healthcare Diagnostics", 36},
		{"subdivided block, unsold part", "70:b3:d5:00:0f:ff", "", 0},
		{"locally administered", "02:12:21:00:00:01", "", 0},
		{"group", "01:00:5e:00:00:01", "", 0},
		{"unknown", "fc:ff:ff:00:00:01", "", 0},
	}
	tab := load(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := fact.ParseMAC(tt.mac)
			if err != nil {
				t.Fatal(err)
			}
			if got, bits := tab.Lookup(m); got != tt.want || bits != tt.bits {
				t.Errorf("Lookup(%s) = %q, %d bits; want %q, %d", tt.mac, got, bits, tt.want, tt.bits)
			}
		})
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	tab := load(t)
	m := fact.MAC{0x00, 0x09, 0xfb, 1, 2, 3}
	if n := testing.AllocsPerRun(100, func() { tab.Lookup(m) }); n != 0 {
		t.Errorf("Lookup allocates %v times", n)
	}
}

// reseal gives a changed table its right checksum, so that the checks behind
// it are reached.
func reseal(b []byte) []byte {
	if len(b) >= Header {
		binary.BigEndian.PutUint32(b[Header-4:], crc32.ChecksumIEEE(b[Header:]))
	}
	return b
}

// small is a table of one block a level.
func small() []byte {
	b := []byte(Magic)
	for _, v := range []uint32{20260101, 1, 1, 1, 5, 0} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, 0, 1, 2, 0, 0, 0)
	b = append(b, 0, 1, 3, 0x40, 0, 0, 2)
	b = append(b, 0, 1, 3, 0x50, 0x60, 0, 0, 4)
	b = append(b, 1, 'A', 1, 'B', 0)
	return reseal(b)
}

func TestDecodeRefusesDamage(t *testing.T) {
	change := func(at int, v byte) []byte {
		b := small()
		b[at] = v
		return reseal(b)
	}
	entries := Header
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"empty", nil, "vendor table is damaged: no header"},
		{"other magic", append([]byte("X"), small()[1:]...), "vendor table is damaged: no header"},
		{"flipped bit", append(small()[:len(small())-1], 1), "vendor table is damaged: checksum 84f3100a, want f3f4209c"},
		{"too many entries", change(len(Magic)+4, 0xff), "vendor table is damaged: 24-bit entries end behind the data"},
		{"names cut", reseal(small()[:len(small())-1]), "vendor table is damaged: names take 4 bytes, want 5"},
		{"name behind the end", change(entries+5, 9), "vendor table is damaged: 24-bit entry without a name"},
		{"28-bit prefix with 32 bits", change(entries+9, 0x41), "vendor table is damaged: 28-bit entry with longer prefix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(string(tt.in))
			if err == nil || err.Error() != tt.want || !errors.Is(err, errDamaged) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	tab, err := Decode(string(small()))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := tab.Lookup(fact.MAC{0, 1, 3, 0x4f}); got != "B" {
		t.Errorf("good table: %q", got)
	}
}

func TestDecodeRefusesDisorder(t *testing.T) {
	b := []byte(Magic)
	for _, v := range []uint32{20260101, 2, 0, 0, 1, 0} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = reseal(append(b, 0, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0))
	if _, err := Decode(string(b)); err == nil || err.Error() != "vendor table is damaged: 24-bit entries out of order" {
		t.Errorf("error %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(small(), uint64(0))
	f.Add(small()[:Header], uint64(0x000103))
	f.Fuzz(func(t *testing.T, b []byte, mac uint64) {
		for _, in := range [][]byte{b, reseal(append([]byte(nil), b...))} {
			tab, err := Decode(string(in))
			if err != nil {
				continue
			}
			var m [8]byte
			binary.BigEndian.PutUint64(m[:], mac<<16)
			tab.Lookup(fact.MAC(m[:6]))
			tab.Len()
			tab.Date()
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	tab := load(b)
	m := fact.MAC{0x00, 0x09, 0xfb, 1, 2, 3}
	for b.Loop() {
		tab.Lookup(m)
	}
}
