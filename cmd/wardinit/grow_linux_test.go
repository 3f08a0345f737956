package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/images"
)

// memory is a disk whose power goes after so many writes, negative for never.
type memory struct {
	data   []byte
	writes int
	left   int
}

var errPower = errors.New("no power")

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.data).ReadAt(p, off)
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if m.left == 0 {
		return 0, errPower
	}
	m.left--
	m.writes++
	return copy(m.data[off:], p), nil
}

func (m *memory) Sync() error { return nil }

const mib = 1 << 20

// smallDisk has the partitions of a gateway, a MiB each, and is as large as said.
func smallDisk(t *testing.T, mibs int, names ...string) *memory {
	t.Helper()
	g := images.GPT{Disk: images.GUID{1}, Sectors: uint64(len(names)+2) * mib / images.SectorSize}
	for i, n := range names {
		first := uint64(i+1) * mib / images.SectorSize
		g.Partitions = append(g.Partitions, images.Partition{Type: images.GUID{2}, ID: images.GUID{3, byte(i)}, Name: n,
			First: first, Last: first + mib/images.SectorSize - 1})
	}
	m := &memory{data: make([]byte, mibs*mib), left: -1}
	if err := g.WriteTo(m); err != nil {
		t.Fatal(err)
	}
	m.writes = 0
	return m
}

// TestGrowTable: whenever the power goes, the next boot completes it, and a boot
// that finds all done writes nothing.
func TestGrowTable(t *testing.T) {
	const mibs = 9
	for cut := 0; ; cut++ {
		m := smallDisk(t, mibs, "esp", "root-a", images.PartData)
		m.left = cut
		_, _, err := growTable(m, mibs*mib/images.SectorSize)
		if err != nil && !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		whole := err == nil
		m.left = -1
		data, n, err := growTable(m, mibs*mib/images.SectorSize)
		if err != nil {
			t.Fatalf("cut before write %d: %v", cut, err)
		}
		if n != 3 || data.Offset() != 3*mib || data.Bytes() != 5*mib {
			t.Errorf("cut before write %d: partition %d, %d bytes at %d", cut, n, data.Bytes(), data.Offset())
		}
		m.writes = 0
		if again, _, err := growTable(m, mibs*mib/images.SectorSize); err != nil || again != data || m.writes != 0 {
			t.Errorf("cut before write %d: the third boot wrote %d times: %v, %v", cut, m.writes, again, err)
		}
		if whole {
			return
		}
	}
}

func TestGrowTableRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		mibs  int
		want  string
	}{
		"not the last":   {[]string{"esp", images.PartData, "more"}, 9, "lies behind data"},
		"none":           {[]string{"esp", "root-a"}, 9, "none of that name"},
		"a smaller disk": {[]string{"esp", images.PartData}, 3, "it is of a disk of"},
	} {
		m := smallDisk(t, 9, c.names...)
		_, _, err := growTable(m, uint64(c.mibs)*mib/images.SectorSize)
		if err == nil || !strings.Contains(err.Error(), c.want) || m.writes > 0 {
			t.Errorf("%s: %v after %d writes", name, err, m.writes)
		}
	}
}
