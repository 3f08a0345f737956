package images

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"unicode/utf16"
)

// Disk is what a partition table is written to.
type Disk interface {
	io.WriterAt
	Sync() error
}

// WriteTo writes protective MBR, both headers and both tables. The backup is
// complete and on the medium before the primary is touched: whenever the power
// goes, ReadGPT finds one of the two.
func (g GPT) WriteTo(disk Disk) error {
	if err := g.check(); err != nil {
		return fmt.Errorf("write partition table: %w", err)
	}
	end := g.Sectors - 1
	table := g.table()
	steps := []struct {
		what   string
		sector uint64
		data   []byte // nil: all so far must be on the medium
	}{
		{"backup entries", end - gptTableSectors, table},
		{"backup header", end, g.header(table, end, 1, end-gptTableSectors)},
		{"backup", 0, nil},
		{"protective MBR", 0, g.mbr()},
		{"entries", 2, table},
		{"header", 1, g.header(table, 1, end, 2)},
		{"partition table", 0, nil},
	}
	for _, s := range steps {
		if s.data == nil {
			if err := disk.Sync(); err != nil {
				return fmt.Errorf("write partition table: sync %s: %w", s.what, err)
			}
			continue
		}
		if _, err := disk.WriteAt(s.data, int64(s.sector)*SectorSize); err != nil {
			return fmt.Errorf("write partition table: %s: %w", s.what, err)
		}
	}
	return nil
}

// mbr is the protective one: a single partition of type 0xee over the disk, so
// that tools that know no GPT leave the disk alone.
func (g GPT) mbr() []byte {
	b := make([]byte, SectorSize)
	copy(b[446:], []byte{0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0})
	binary.LittleEndian.PutUint32(b[458:], uint32(min(g.Sectors-1, math.MaxUint32)))
	b[510], b[511] = 0x55, 0xaa
	return b
}

func (g GPT) table() []byte {
	le := binary.LittleEndian
	out := make([]byte, gptEntries*gptEntrySize)
	for i, p := range g.Partitions {
		e := out[i*gptEntrySize:][:gptEntrySize]
		copy(e, p.Type[:])
		copy(e[16:], p.ID[:])
		le.PutUint64(e[32:], p.First)
		le.PutUint64(e[40:], p.Last)
		le.PutUint64(e[48:], p.Attributes)
		for j, u := range utf16.Encode([]rune(p.Name)) {
			le.PutUint16(e[56+2*j:], u)
		}
	}
	return out
}

// header is the one in the sector at; other is where its twin is.
func (g GPT) header(table []byte, at, other, entries uint64) []byte {
	le := binary.LittleEndian
	h := make([]byte, SectorSize)
	copy(h, "EFI PART")
	le.PutUint32(h[8:], 0x10000)
	le.PutUint32(h[12:], gptHeaderSize)
	le.PutUint64(h[24:], at)
	le.PutUint64(h[32:], other)
	le.PutUint64(h[40:], gptFirstUsable)
	le.PutUint64(h[48:], g.lastUsable())
	copy(h[56:], g.Disk[:])
	le.PutUint64(h[72:], entries)
	le.PutUint32(h[80:], gptEntries)
	le.PutUint32(h[84:], gptEntrySize)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(table))
	le.PutUint32(h[16:], headerSum(h[:gptHeaderSize]))
	return h
}

// On reports whether the disk has this table, every byte of both copies: not so
// where a write of it was cut short.
func (g GPT) On(disk io.ReaderAt) bool {
	c := comparer{disk: disk, same: true}
	return g.WriteTo(&c) == nil && c.same
}

// comparer takes what would be written, and compares.
type comparer struct {
	disk io.ReaderAt
	same bool
}

func (c *comparer) WriteAt(p []byte, off int64) (int, error) {
	have := make([]byte, len(p))
	if _, err := c.disk.ReadAt(have, off); err != nil {
		return 0, err
	}
	c.same = c.same && bytes.Equal(have, p)
	return len(p), nil
}

func (c *comparer) Sync() error { return nil }
