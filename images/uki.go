package images

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Section is a part of a UKI: its name begins with a dot and has at most 8
// characters.
type Section struct {
	Name string
	Data []byte
}

// Offsets and sizes of PE32+, of "PE Format" by Microsoft: in the file header,
// in the optional header, and of a section's header.
const (
	peSections, peSymbols, peOptionalSize              = 6, 12, 20
	peHeaders                                          = 24 // of the optional header, from "PE\0\0"
	peSectionAlign, peFileAlign, peImageSize, peHdrEnd = 32, 36, 56, 60
	peChecksum                                         = 64
	peSectionHeader                                    = 40
	peInitializedRead                                  = 0x40000040 // IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ
	maxStub                                            = 16 << 20
)

// WriteUKI writes the UEFI stub of systemd with the sections appended: one file
// of kernel, initramfs and command line that the firmware starts, and that is
// signed as one. The same input is the same output.
func WriteUKI(w io.Writer, stub []byte, sections []Section) error {
	out, err := uki(stub, sections)
	if err != nil {
		return fmt.Errorf("write UKI: %w", err)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write UKI: %w", err)
	}
	return nil
}

func uki(stub []byte, sections []Section) ([]byte, error) {
	le := binary.LittleEndian
	if len(stub) < 0x40 || len(stub) > maxStub {
		return nil, fmt.Errorf("the stub has %d bytes", len(stub))
	}
	pe := int(le.Uint32(stub[0x3c:]))
	if pe < 0 || pe > len(stub)-peHeaders-peChecksum-4 || string(stub[pe:pe+4]) != "PE\x00\x00" || le.Uint16(stub[pe+peHeaders:]) != 0x20b {
		return nil, errors.New("the stub is no PE32+ file")
	}
	opt := pe + peHeaders
	count := int(le.Uint16(stub[pe+peSections:]))
	table := opt + int(le.Uint16(stub[pe+peOptionalSize:]))
	sectionAlign, fileAlign := uint64(le.Uint32(stub[opt+peSectionAlign:])), uint64(le.Uint32(stub[opt+peFileAlign:]))
	if sectionAlign == 0 || fileAlign == 0 || table+(count+len(sections))*peSectionHeader > len(stub) {
		return nil, errors.New("the stub's headers are cut off")
	}
	// where the file and the memory end, and where the first section begins. What
	// lies behind the last section is a symbol table: signing tools take it for a
	// gap, so it goes.
	var fileEnd, memEnd uint64
	first := uint64(len(stub))
	for i := range count {
		h := stub[table+i*peSectionHeader:]
		size, addr := uint64(le.Uint32(h[8:])), uint64(le.Uint32(h[12:]))
		raw, at := uint64(le.Uint32(h[16:])), uint64(le.Uint32(h[20:]))
		fileEnd, memEnd = max(fileEnd, at+raw), max(memEnd, addr+size)
		if raw > 0 {
			first = min(first, at)
		}
	}
	if fileEnd > uint64(len(stub)) {
		return nil, errors.New("the stub is cut off")
	}
	end := uint64(table + (count+len(sections))*peSectionHeader)
	if end > first || end > uint64(le.Uint32(stub[opt+peHdrEnd:])) {
		return nil, fmt.Errorf("the stub has no room for the headers of %d more sections", len(sections))
	}
	out := append(make([]byte, 0, len(stub)), stub[:fileEnd]...)
	for i, s := range sections {
		if len(s.Name) == 0 || len(s.Name) > 8 || s.Name[0] != '.' || len(s.Data) == 0 {
			return nil, fmt.Errorf("section %q of %d bytes: want a name of a dot and up to 7 characters, and data", s.Name, len(s.Data))
		}
		at, addr := roundUp(uint64(len(out)), fileAlign), roundUp(memEnd, sectionAlign)
		raw := roundUp(uint64(len(s.Data)), fileAlign)
		memEnd = addr + uint64(len(s.Data))
		if memEnd > math.MaxUint32-sectionAlign || at+raw > math.MaxUint32 {
			return nil, fmt.Errorf("section %s of %d bytes does not fit the format", s.Name, len(s.Data))
		}
		out = append(out, make([]byte, at-uint64(len(out)))...)
		out = append(out, s.Data...)
		out = append(out, make([]byte, at+raw-uint64(len(out)))...)
		var h [peSectionHeader]byte // whole: the stub's padding is not zero
		copy(h[:8], s.Name)
		le.PutUint32(h[8:], uint32(len(s.Data)))
		le.PutUint32(h[12:], uint32(addr))
		le.PutUint32(h[16:], uint32(raw))
		le.PutUint32(h[20:], uint32(at))
		le.PutUint32(h[36:], peInitializedRead)
		copy(out[table+(count+i)*peSectionHeader:], h[:])
	}
	le.PutUint16(out[pe+peSections:], uint16(count+len(sections)))
	le.PutUint64(out[pe+peSymbols:], 0) // pointer and number, see above
	le.PutUint32(out[opt+peImageSize:], uint32(roundUp(memEnd, sectionAlign)))
	le.PutUint32(out[opt+peChecksum:], 0)
	return out, nil
}

func roundUp(n, to uint64) uint64 { return (n + to - 1) / to * to }
