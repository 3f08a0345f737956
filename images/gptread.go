package images

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf16"
)

// ReadGPT reads the partition table of a disk of so many sectors: the primary
// one, or where that is damaged the backup in the disk's last sector.
func ReadGPT(disk io.ReaderAt, sectors uint64) (GPT, error) {
	if sectors < 2 || sectors > 1<<53 {
		return GPT{}, fmt.Errorf("read partition table: a disk of %d sectors", sectors)
	}
	g, err := readTable(disk, 1, sectors)
	if err == nil {
		return g, nil
	}
	g, backupErr := readTable(disk, sectors-1, sectors)
	if backupErr != nil {
		return GPT{}, fmt.Errorf("read partition table: primary: %w; backup: %w", err, backupErr)
	}
	return g, nil
}

// readTable reads the header in the sector at and the entries that it names, of
// a disk of at most so many sectors.
func readTable(disk io.ReaderAt, at, sectors uint64) (GPT, error) {
	le := binary.LittleEndian
	h := make([]byte, SectorSize)
	if _, err := disk.ReadAt(h, int64(at)*SectorSize); err != nil {
		return GPT{}, fmt.Errorf("header: %w", err)
	}
	switch size := le.Uint32(h[12:]); {
	case string(h[:8]) != "EFI PART":
		return GPT{}, errors.New("header: no partition table")
	case le.Uint32(h[8:]) != 0x10000:
		return GPT{}, fmt.Errorf("header: revision %#x, want 0x10000", le.Uint32(h[8:]))
	case size < gptHeaderSize || size > SectorSize:
		return GPT{}, fmt.Errorf("header: %d bytes", size)
	case le.Uint32(h[16:]) != headerSum(h[:size]):
		return GPT{}, errors.New("header: wrong checksum")
	case le.Uint64(h[24:]) != at:
		return GPT{}, fmt.Errorf("header: it is of sector %d, not %d", le.Uint64(h[24:]), at)
	case le.Uint32(h[80:]) != gptEntries || le.Uint32(h[84:]) != gptEntrySize:
		return GPT{}, fmt.Errorf("header: %d entries of %d bytes: want %d of %d", le.Uint32(h[80:]), le.Uint32(h[84:]), gptEntries, gptEntrySize)
	}
	g := GPT{Disk: GUID(h[56:72]), Sectors: max(at, le.Uint64(h[32:])) + 1}
	if g.Sectors > sectors {
		return GPT{}, fmt.Errorf("header: it is of a disk of %d sectors, this one has %d", g.Sectors, sectors)
	}
	entriesAt := le.Uint64(h[72:])
	if entriesAt < 2 || entriesAt > 1<<53 {
		return GPT{}, fmt.Errorf("header: entries in sector %d", entriesAt)
	}
	table := make([]byte, gptEntries*gptEntrySize)
	if _, err := disk.ReadAt(table, int64(entriesAt)*SectorSize); err != nil {
		return GPT{}, fmt.Errorf("entries: %w", err)
	}
	if crc32.ChecksumIEEE(table) != le.Uint32(h[88:]) {
		return GPT{}, errors.New("entries: wrong checksum")
	}
	for e := table; len(e) > 0; e = e[gptEntrySize:] {
		if [16]byte(e[:16]) == [16]byte{} {
			// a gap would renumber what comes behind it
			if rest := trimmed(e); len(rest) > 0 {
				return GPT{}, errors.New("entries: one behind an empty one")
			}
			break
		}
		g.Partitions = append(g.Partitions, Partition{
			Type: GUID(e[:16]), ID: GUID(e[16:32]),
			First: le.Uint64(e[32:]), Last: le.Uint64(e[40:]), Attributes: le.Uint64(e[48:]),
			Name: readName(e[56:gptEntrySize]),
		})
	}
	if err := g.check(); err != nil {
		return GPT{}, fmt.Errorf("entries: %w", err)
	}
	return g, nil
}

// headerSum is the checksum of a header, which counts its own field as zero.
func headerSum(h []byte) uint32 {
	c := append([]byte(nil), h...)
	copy(c[16:20], []byte{0, 0, 0, 0})
	return crc32.ChecksumIEEE(c)
}

// trimmed is b without zeroes at its end.
func trimmed(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// readName reads a name up to its first NUL; what is no UTF-16 becomes U+FFFD.
func readName(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
