package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/rules/vendors"
)

// encode writes the layout of package vendors.
func encode(r registry) ([]byte, error) {
	names, offsets, err := table(r)
	if err != nil {
		return nil, err
	}
	var body []byte
	head := binary.BigEndian.AppendUint32([]byte(vendors.Magic), uint32(r.date))
	prefixes := slices.Sorted(maps.Keys(r.owners))
	for _, l := range vendors.Levels() {
		n := uint32(0)
		for _, p := range prefixes {
			if 4*len(p) != l.Bits {
				continue
			}
			key, err := hex.DecodeString(p + strings.Repeat("0", len(p)%2))
			if err != nil {
				return nil, fmt.Errorf("prefix %q: %w", p, err)
			}
			off := offsets[r.owners[p]]
			body = append(append(body, key...), byte(off>>16), byte(off>>8), byte(off))
			n++
		}
		head = binary.BigEndian.AppendUint32(head, n)
	}
	head = binary.BigEndian.AppendUint32(head, uint32(len(names)))
	body = append(body, names...)
	head = binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(body))
	return append(head, body...), nil
}

// table lays out every owner once, in order, and says where.
func table(r registry) (names []byte, offsets map[string]int, err error) {
	offsets = map[string]int{}
	for _, owner := range slices.Compact(slices.Sorted(maps.Values(r.owners))) {
		if len(owner) > 255 {
			return nil, nil, fmt.Errorf("owner %.20q…: %d bytes, most is 255", owner, len(owner))
		}
		offsets[owner] = len(names)
		names = append(append(names, byte(len(owner))), owner...)
	}
	if len(names) >= 1<<(8*vendors.OffsetSize) {
		return nil, nil, fmt.Errorf("names take %d bytes, more than %d-byte offsets reach", len(names), vendors.OffsetSize)
	}
	return names, offsets, nil
}
