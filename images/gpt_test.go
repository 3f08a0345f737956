package images

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memDisk is a disk whose power goes after so many writes; -1 for never.
type memDisk struct {
	data []byte
	left int
}

var errPower = errors.New("no power")

func (d *memDisk) WriteAt(p []byte, off int64) (int, error) {
	if d.left == 0 {
		return 0, errPower
	}
	d.left--
	if int(off) >= len(d.data) {
		return 0, io.ErrShortWrite
	}
	return copy(d.data[off:], p), nil
}

func (d *memDisk) Sync() error { return nil }

// newDisk is a small disk with two partitions: Layout needs hundreds of MiB.
func newDisk(t *testing.T, mibs int) (*memDisk, GPT) {
	t.Helper()
	id, err := ParseGUID(diskID)
	if err != nil {
		t.Fatal(err)
	}
	g := GPT{Disk: id, Sectors: uint64(mibs) * sectorsPerMiB, Partitions: []Partition{
		{Type: id, ID: id, First: 2048, Last: 4095, Name: "esp", Attributes: 1 << 60},
		{Type: id, ID: id, First: 4096, Last: 6143, Name: "dätä"},
	}}
	d := &memDisk{data: make([]byte, mibs*mib), left: -1}
	if err := g.WriteTo(d); err != nil {
		t.Fatal(err)
	}
	return d, g
}

func TestGPTRoundTrip(t *testing.T) {
	d, g := newDisk(t, 4)
	got, err := ReadGPT(bytes.NewReader(d.data), g.Sectors)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if p, err := got.Partition("esp"); err != nil || p.Offset() != mib || p.Bytes() != mib {
		t.Errorf("esp: %d bytes at %d, %v", p.Bytes(), p.Offset(), err)
	}
	if _, err := got.Partition("esb"); err == nil {
		t.Error("found a partition that is not there")
	}
}

// Grown on a larger disk, and the power cut after each single write: one of the
// two tables is always whole, and says the old size or the new one.
func TestGPTGrowsThroughPowerCuts(t *testing.T) {
	old, g := newDisk(t, 4)
	const mibs = 9
	big, err := g.Grow(mibs * sectorsPerMiB)
	if err != nil {
		t.Fatal(err)
	}
	if p := big.Partitions[1]; p.First != 4096 || p.Last != 8*sectorsPerMiB-1 {
		t.Errorf("grown to %d–%d, want whole MiB up to the backup table", p.First, p.Last)
	}
	if g.Partitions[1].Last != 6143 {
		t.Error("the old table was changed")
	}
	finished := false
	for cut := 0; !finished; cut++ {
		d := &memDisk{data: append(bytes.Clone(old.data), make([]byte, (mibs-4)*mib)...), left: cut}
		err := big.WriteTo(d)
		finished = err == nil
		if err != nil && !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		got, err := ReadGPT(bytes.NewReader(d.data), mibs*sectorsPerMiB)
		if err != nil {
			t.Fatalf("cut before write %d: %v", cut, err)
		}
		want := g
		if got.Sectors == big.Sectors {
			want = big
		}
		if diff := cmp.Diff(want, got); diff != "" || finished && got.Sectors != big.Sectors {
			t.Errorf("cut before write %d: -want +got\n%s", cut, diff)
		}
	}
}

func TestGPTGrowRefuses(t *testing.T) {
	_, g := newDisk(t, 4)
	if _, err := g.Grow(g.Sectors - 1); err == nil || !strings.Contains(err.Error(), "less than the table's") {
		t.Errorf("a smaller disk: %v", err)
	}
	if _, err := (GPT{Sectors: 100}).Grow(200); err == nil {
		t.Error("grew a table without partitions")
	}
	same, err := g.Grow(g.Sectors)
	if err != nil || same.Partitions[1].Last != 3*sectorsPerMiB-1 {
		t.Errorf("on the same disk: %+v, %v", same.Partitions[1], err)
	}
}

func TestReadGPTRefuses(t *testing.T) {
	d, g := newDisk(t, 4)
	end := len(d.data)
	both := func(at int) []int { return []int{SectorSize + at, end - SectorSize + at} }
	tests := []struct {
		name string
		flip []int
		want string // "" for read all the same
	}{
		{"primary's header", []int{SectorSize + 40}, ""},
		{"primary's entries", []int{2*SectorSize + 32}, ""},
		{"backup", []int{end - SectorSize}, ""},
		{"both signatures", both(0), "header: no partition table"},
		{"both checksums", both(16), "header: wrong checksum"},
		{"both sizes", both(15), "header: 4278190172 bytes"},
		{"primary's header and backup's entries", []int{SectorSize, end - 33*SectorSize + 56}, "entries: wrong checksum"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := bytes.Clone(d.data)
			for _, at := range tt.flip {
				data[at] ^= 0xff
			}
			got, err := ReadGPT(bytes.NewReader(data), g.Sectors)
			if tt.want == "" {
				if diff := cmp.Diff(g, got); err != nil || diff != "" {
					t.Errorf("%v, -want +got\n%s", err, diff)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	for _, n := range []uint64{0, 1, g.Sectors - 1, g.Sectors * 2} {
		if _, err := ReadGPT(bytes.NewReader(d.data), n); (err == nil) != (n > g.Sectors) {
			t.Errorf("said to have %d sectors: %v", n, err)
		}
	}
}

func TestGPTWriteRefuses(t *testing.T) {
	_, g := newDisk(t, 4)
	for name, edit := range map[string]func(p []Partition){
		"overlap":      func(p []Partition) { p[1].First = 4095 },
		"behind end":   func(p []Partition) { p[1].Last = 4*sectorsPerMiB - 33 },
		"in the table": func(p []Partition) { p[0].First = 33 },
		"backwards":    func(p []Partition) { p[1].Last = p[1].First - 1 },
		"no type":      func(p []Partition) { p[0].Type = GUID{} },
		"long name":    func(p []Partition) { p[0].Name = strings.Repeat("x", 37) },
	} {
		bad := g
		bad.Partitions = append([]Partition(nil), g.Partitions...)
		edit(bad.Partitions)
		if err := bad.WriteTo(&memDisk{data: make([]byte, 4*mib), left: -1}); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// FuzzReadGPT: what is read can be written, and read again.
func FuzzReadGPT(f *testing.F) {
	id := GUID{1}
	g := GPT{Disk: id, Sectors: 100, Partitions: []Partition{{Type: id, ID: id, First: 40, Last: 50, Name: "a"}}}
	d := &memDisk{data: make([]byte, 100*SectorSize), left: -1}
	if err := g.WriteTo(d); err != nil {
		f.Fatal(err)
	}
	f.Add(d.data)
	f.Fuzz(func(t *testing.T, data []byte) {
		sectors := uint64(len(data) / SectorSize)
		data = summed(data)
		g, err := ReadGPT(bytes.NewReader(data), sectors)
		if err != nil {
			return
		}
		out := &memDisk{data: make([]byte, g.Sectors*SectorSize), left: -1}
		if err := g.WriteTo(out); err != nil {
			t.Fatalf("read, but not to be written: %v", err)
		}
		again, err := ReadGPT(bytes.NewReader(out.data), g.Sectors)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(g, again); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

// summed is data with right checksums in the primary, so that the fuzzer gets
// behind them.
func summed(data []byte) []byte {
	const end = (2 + gptTableSectors) * SectorSize
	if len(data) < end {
		return data
	}
	data = bytes.Clone(data)
	h := data[SectorSize:][:gptHeaderSize]
	binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(data[2*SectorSize:end]))
	binary.LittleEndian.PutUint32(h[16:], headerSum(h))
	return data
}

// The outside verdicts, on the real layout and on the grown one.
func TestLayoutByOtherTools(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk.img")
	g, err := Layout(MinDisk())
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{MinDisk(), 3<<30 + 5*SectorSize} {
		if err := os.Truncate(file, size); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
		if g, err = g.Grow(uint64(size / SectorSize)); err != nil {
			t.Fatal(err)
		}
		if err := g.WriteTo(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("sgdisk %d", size), func(t *testing.T) {
			if out := tool(t, "sgdisk", "gdisk", "-v", file); !strings.Contains(out, "No problems found") {
				t.Errorf("sgdisk found\n%s", out)
			}
		})
		t.Run(fmt.Sprintf("sfdisk %d", size), func(t *testing.T) {
			out := tool(t, "sfdisk", "fdisk", "--dump", file)
			for _, p := range g.Partitions {
				want := fmt.Sprintf("start=%12d, size=%12d, type=%s, uuid=%s, name=\"%s\"", p.First, p.Last-p.First+1, strings.ToUpper(p.Type.String()), strings.ToUpper(p.ID.String()), p.Name)
				if !strings.Contains(out, want) {
					t.Errorf("no line %s in\n%s", want, out)
				}
			}
		})
	}
}

func tool(t *testing.T, name, pkg string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			t.Skipf("%s is missing: apt-get install %s", name, pkg)
		}
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return string(out)
}

// TestOfImage: the layout, whatever its disk's size, and nothing that is like it.
func TestOfImage(t *testing.T) {
	other := GUID{1}
	for name, c := range map[string]struct {
		edit func(g *GPT)
		want bool
	}{
		"as built":           {func(*GPT) {}, true},
		"another disk":       {func(g *GPT) { g.Disk = other }, false},
		"another slot":       {func(g *GPT) { g.Partitions[1].ID = other }, false},
		"another name":       {func(g *GPT) { g.Partitions[1].Name = "root-c" }, false},
		"another type":       {func(g *GPT) { g.Partitions[0].Type = other }, false},
		"one partition less": {func(g *GPT) { g.Partitions = g.Partitions[:3] }, false},
		"nothing":            {func(g *GPT) { *g = GPT{} }, false},
	} {
		g, err := Layout(1 << 30)
		if err != nil {
			t.Fatal(err)
		}
		if c.edit(&g); g.OfImage() != c.want {
			t.Errorf("%s: %v, want %v", name, !c.want, c.want)
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	for _, n := range []int64{0, MinDisk() - SectorSize, MinDisk() + 1, -512} {
		if _, err := Layout(n); err == nil {
			t.Errorf("laid out %d bytes", n)
		}
	}
}

func TestGUID(t *testing.T) {
	const esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	g, err := ParseGUID(strings.ToUpper(esp))
	if err != nil || g.String() != esp {
		t.Errorf("%v, %v", g, err)
	}
	// as UEFI 2.10, table 5.7, has it on the disk
	if want := (GUID{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}); g != want {
		t.Errorf("on the disk %x", [16]byte(g))
	}
	for _, bad := range []string{"", "x", esp + "00", "c12a7328f81f11d2ba4b00a0c93ec93b", "c12a-7328-f81f-11d2-ba4b-00a0c93ec93b"} {
		if _, err := ParseGUID(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
