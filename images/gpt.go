package images

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
)

// SectorSize is the only size of a sector that this package reads and writes, in
// bytes.
const SectorSize = 512

// The one shape of table that is read and written, which is that of every
// common tool: 128 entries of 128 bytes (UEFI 2.10, 5.3).
const (
	gptEntries      = 128
	gptEntrySize    = 128
	gptTableSectors = gptEntries * gptEntrySize / SectorSize
	gptHeaderSize   = 92
	gptFirstUsable  = 2 + gptTableSectors // after protective MBR, header and entries
	gptName         = 36                  // UTF-16 units of a name
)

// GPT is the partition table of a disk.
type GPT struct {
	Disk       GUID
	Sectors    uint64 // of the disk, as the table believes
	Partitions []Partition
}

// Partition is one entry of a table. Partitions are numbered from 1 by their
// place in GPT.Partitions.
type Partition struct {
	Type, ID    GUID
	First, Last uint64 // sectors, both belong to it
	Attributes  uint64
	Name        string
}

// Offset is where the partition begins, in bytes.
func (p Partition) Offset() int64 { return int64(p.First) * SectorSize }

// Bytes is the partition's size.
func (p Partition) Bytes() int64 { return int64(p.Last-p.First+1) * SectorSize }

// Grow returns the table of a disk that has become larger, with the last
// partition extended to its end in whole MiB. What it does not change is shared
// with g. A disk that has become smaller is an error.
func (g GPT) Grow(sectors uint64) (GPT, error) {
	if sectors < g.Sectors {
		return GPT{}, fmt.Errorf("grow partition table: the disk has %d sectors, less than the table's %d", sectors, g.Sectors)
	}
	if len(g.Partitions) == 0 {
		return GPT{}, errors.New("grow partition table: it has no partition")
	}
	g.Sectors = sectors
	g.Partitions = slices.Clone(g.Partitions)
	last := 0
	for i, p := range g.Partitions {
		if p.Last > g.Partitions[last].Last {
			last = i
		}
	}
	end := g.lastUsable()
	if whole := (end + 1) / sectorsPerMiB * sectorsPerMiB; whole > 0 {
		end = whole - 1
	}
	g.Partitions[last].Last = max(g.Partitions[last].Last, end)
	return g, g.check()
}

func (g GPT) lastUsable() uint64 { return g.Sectors - gptTableSectors - 2 }

// check says what is wrong with a table, read or to be written.
func (g GPT) check() error {
	const least, most = gptFirstUsable + gptTableSectors + 2, 1 << 53 // 4 EiB: offsets stay below 63 bits
	switch {
	case g.Sectors < least || g.Sectors > most:
		return fmt.Errorf("a disk of %d sectors", g.Sectors)
	case len(g.Partitions) > gptEntries:
		return fmt.Errorf("%d partitions, more than %d", len(g.Partitions), gptEntries)
	}
	for i, p := range g.Partitions {
		switch {
		case p.Type == GUID{}:
			return fmt.Errorf("partition %d has no type", i+1)
		case p.First < gptFirstUsable || p.Last < p.First || p.Last > g.lastUsable():
			return fmt.Errorf("partition %d from sector %d to %d: want within %d and %d", i+1, p.First, p.Last, gptFirstUsable, g.lastUsable())
		case len(utf16.Encode([]rune(p.Name))) > gptName:
			return fmt.Errorf("partition %d: name longer than %d", i+1, gptName)
		}
		for j, q := range g.Partitions[:i] {
			if p.First <= q.Last && q.First <= p.Last {
				return fmt.Errorf("partitions %d and %d overlap", j+1, i+1)
			}
		}
	}
	return nil
}
