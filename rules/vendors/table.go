package vendors

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

//go:generate go run ./internal/ouigen -dir /usr/share/ieee-data -out oui.bin.gz

// Half of it is worth half a megabyte on the gateway's flash, and costs no
// memory: its checksum is over all of it anyway.
//
//go:embed oui.bin.gz
var embedded []byte

// maxTable bounds what the embedded table unpacks to, in bytes.
const maxTable = 4 << 20

// Layout of the binary: Header bytes, then for each of Levels its entries in
// ascending order (prefix left-aligned in whole bytes, 24-bit offset into the
// names), then the names (one length byte each). Integers are big-endian.
// The header is Magic, then 32-bit fields: date (decimal YYYYMMDD), one count
// a level, size of the names, CRC-32 (IEEE) of all behind the header.
const (
	Magic      = "WKOUI\x00\x00\x01"
	Header     = len(Magic) + 4*(2+levels+1)
	OffsetSize = 3
	levels     = 3
)

// Level is one block size of the registry.
type Level struct {
	Bits  int // of the prefix
	Bytes int // the prefix takes in the table
}

// Levels lists the block sizes, shortest first.
func Levels() [levels]Level { return [levels]Level{{24, 3}, {28, 4}, {36, 5}} }

// errDamaged is the root of all that Decode refuses.
var errDamaged = errors.New("vendor table is damaged")

// Table is a decoded registry. It is immutable.
type Table struct {
	date    int
	entries [levels]string
	names   string
}

// Load decodes the embedded table.
func Load() (*Table, error) {
	r, err := gzip.NewReader(bytes.NewReader(embedded))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	var data strings.Builder
	if _, err := io.Copy(&data, io.LimitReader(r, maxTable)); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return Decode(data.String())
}

// Decode checks all of data, so that Lookup need not check again.
func Decode(data string) (*Table, error) {
	if len(data) < Header || data[:len(Magic)] != Magic {
		return nil, fmt.Errorf("%w: no header", errDamaged)
	}
	field := func(i int) uint32 { return binary.BigEndian.Uint32([]byte(data[len(Magic)+4*i:][:4])) }
	if sum := crc32.ChecksumIEEE([]byte(data[Header:])); sum != field(2+levels) {
		return nil, fmt.Errorf("%w: checksum %08x, want %08x", errDamaged, sum, field(2+levels))
	}
	t := &Table{date: int(field(0))}
	rest := data[Header:]
	for i, l := range Levels() {
		size := uint64(field(1+i)) * uint64(l.Bytes+OffsetSize)
		if size > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: %d-bit entries end behind the data", errDamaged, l.Bits)
		}
		t.entries[i], rest = rest[:size], rest[size:]
	}
	if uint64(field(1+levels)) != uint64(len(rest)) {
		return nil, fmt.Errorf("%w: names take %d bytes, want %d", errDamaged, len(rest), field(1+levels))
	}
	t.names = rest
	return t, t.check()
}

// check looks at every entry: ascending, within its bits, with a whole name.
func (t *Table) check() error {
	for i, l := range Levels() {
		w := l.Bytes + OffsetSize
		for e := t.entries[i]; len(e) > 0; e = e[w:] {
			if l.Bits%8 != 0 && e[l.Bytes-1]&0x0f != 0 {
				return fmt.Errorf("%w: %d-bit entry with longer prefix", errDamaged, l.Bits)
			}
			if len(e) > w && e[:l.Bytes] >= e[w:w+l.Bytes] {
				return fmt.Errorf("%w: %d-bit entries out of order", errDamaged, l.Bits)
			}
			if off := offset(e[l.Bytes:]); off >= len(t.names) || off+1+int(t.names[off]) > len(t.names) {
				return fmt.Errorf("%w: %d-bit entry without a name", errDamaged, l.Bits)
			}
		}
	}
	return nil
}

func offset(s string) int { return int(s[0])<<16 | int(s[1])<<8 | int(s[2]) }

// Date is the registry's date, as YYYYMMDD.
func (t *Table) Date() int { return t.date }

// Len is how many blocks the table knows.
func (t *Table) Len() int {
	n := 0
	for i, l := range Levels() {
		n += len(t.entries[i]) / (l.Bytes + OffsetSize)
	}
	return n
}

// Lookup returns the owner of the longest block that holds m, and the bits of
// that block. It is "" for locally administered and group addresses, for
// unknown blocks and for those whose owner the IEEE keeps private. The string is
// part of the table.
func (t *Table) Lookup(m fact.MAC) (owner string, bits int) {
	if m.Local() || m.Group() {
		return "", 0
	}
	for i := levels - 1; i >= 0; i-- {
		l := Levels()[i]
		key := [5]byte{m[0], m[1], m[2], m[3], m[4]}
		if l.Bits%8 != 0 {
			key[l.Bytes-1] &= 0xf0
		}
		if name, ok := t.find(i, l.Bytes, key); ok {
			return name, l.Bits
		}
	}
	return "", 0
}

// find searches one level for the first size bytes of key.
func (t *Table) find(level, size int, key [5]byte) (string, bool) {
	w := size + OffsetSize
	e := t.entries[level]
	n := len(e) / w
	i := sort.Search(n, func(i int) bool { return compare(e[i*w:i*w+size], key) >= 0 })
	if i == n || compare(e[i*w:i*w+size], key) != 0 {
		return "", false
	}
	off := offset(e[i*w+size:])
	return t.names[off+1 : off+1+int(t.names[off])], true
}

// compare orders a prefix of the table against as many bytes of key.
func compare(prefix string, key [5]byte) int {
	for i := range len(prefix) {
		if d := int(prefix[i]) - int(key[i]); d != 0 {
			return d
		}
	}
	return 0
}

// Vendor is Lookup without the bits.
func (t *Table) Vendor(mac [6]byte) string {
	owner, _ := t.Lookup(mac)
	return owner
}
