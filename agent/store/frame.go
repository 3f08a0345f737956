package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A record on disk is version (1 byte), CRC32C (4 bytes, little endian), value.
// The sum covers bucket and key too: bbolt has no checksums of data, and a bit
// that flips in a key must not turn one record into another.
const (
	frameVersion = 1
	frameHead    = 5
)

func sum(bucket string, key, value []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // the library keeps one for all
	c := crc32.Update(0, table, []byte(bucket))
	c = crc32.Update(c, table, []byte{0, byte(len(key)), byte(len(key) >> 8)})
	c = crc32.Update(c, table, key)
	return crc32.Update(c, table, value)
}

// seal makes the record of a value.
func seal(bucket string, key, value []byte) []byte {
	f := make([]byte, frameHead+len(value))
	f[0] = frameVersion
	binary.LittleEndian.PutUint32(f[1:], sum(bucket, key, value))
	copy(f[frameHead:], value)
	return f
}

// unseal returns the value inside a record; it borrows the record's bytes.
func unseal(bucket string, key, f []byte) ([]byte, error) {
	switch {
	case len(f) < frameHead:
		return nil, fmt.Errorf("record in %s: %w: %d bytes", bucket, ErrDamaged, len(f))
	case f[0] != frameVersion:
		return nil, fmt.Errorf("record in %s: %w: version %d", bucket, ErrDamaged, f[0])
	case binary.LittleEndian.Uint32(f[1:]) != sum(bucket, key, f[frameHead:]):
		return nil, fmt.Errorf("record in %s: %w: checksum", bucket, ErrDamaged)
	}
	return f[frameHead:], nil
}
