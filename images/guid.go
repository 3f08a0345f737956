package images

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// GUID is an identifier as it lies on the disk: the first three groups of its
// text are little-endian.
type GUID [16]byte

// ParseGUID reads "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", in any case.
func ParseGUID(s string) (GUID, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != 16 {
		return GUID{}, fmt.Errorf("read GUID: %q is none", s)
	}
	g := GUID(raw).swapped()
	if !strings.EqualFold(g.String(), s) {
		return GUID{}, fmt.Errorf("read GUID: %q is none", s)
	}
	return g, nil
}

func (g GUID) String() string {
	b := g.swapped()
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// swapped turns the little-endian groups to big-endian ones and back.
func (g GUID) swapped() GUID {
	var out GUID
	binary.BigEndian.PutUint32(out[0:], binary.LittleEndian.Uint32(g[0:]))
	binary.BigEndian.PutUint16(out[4:], binary.LittleEndian.Uint16(g[4:]))
	binary.BigEndian.PutUint16(out[6:], binary.LittleEndian.Uint16(g[6:]))
	copy(out[8:], g[8:])
	return out
}
