package images

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"strings"
	"testing"
)

// stub is a PE32+ file for ARM64 with one section, padding that is no zero, and
// a symbol table at the end, as systemd's has them.
func stub() []byte {
	b := bytes.Repeat([]byte{0x1f, 0x20, 0x03, 0xd5}, 0x400/4)
	le := binary.LittleEndian
	clear(b[:0x40])
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	clear(b[0x40 : 0x40+24+240+40])
	copy(b[0x40:], "PE\x00\x00")
	le.PutUint16(b[0x44:], 0xaa64)
	le.PutUint16(b[0x46:], 1)
	le.PutUint32(b[0x4c:], 0x600) // symbols
	le.PutUint32(b[0x50:], 1)
	le.PutUint16(b[0x54:], 240)
	opt := 0x58
	le.PutUint16(b[opt:], 0x20b)
	le.PutUint32(b[opt+32:], 0x1000)
	le.PutUint32(b[opt+36:], 0x200)
	le.PutUint32(b[opt+56:], 0x2000)
	le.PutUint32(b[opt+60:], 0x400)
	le.PutUint32(b[opt+64:], 0xbad)
	le.PutUint32(b[opt+108:], 16) // directories
	sec := opt + 240
	copy(b[sec:], ".text")
	le.PutUint32(b[sec+8:], 0x1ff)
	le.PutUint32(b[sec+12:], 0x1000)
	le.PutUint32(b[sec+16:], 0x200)
	le.PutUint32(b[sec+20:], 0x400)
	b = append(b, make([]byte, 0x200)...)
	return append(b, "symbols, symbols, symbols"...)
}

func TestWriteUKI(t *testing.T) {
	var out bytes.Buffer
	in := stub()
	sections := []Section{{".cmdline", []byte("quiet")}, {".linux", bytes.Repeat([]byte("k"), 0x1001)}, {".initrd", []byte("i")}}
	if err := WriteUKI(&out, in, sections); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(in, stub()) {
		t.Error("the stub was changed")
	}
	f, err := pe.NewFile(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Sections) != 4 || f.PointerToSymbolTable != 0 || f.NumberOfSymbols != 0 {
		t.Fatalf("%d sections, symbols %d at %d", len(f.Sections), f.NumberOfSymbols, f.PointerToSymbolTable)
	}
	opt := f.OptionalHeader.(*pe.OptionalHeader64)
	end := uint32(0x2000)
	for i, s := range sections {
		got := f.Sections[i+1]
		data, err := got.Data()
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != s.Name || !bytes.Equal(data[:got.VirtualSize], s.Data) {
			t.Errorf("section %d: %s with %d bytes", i, got.Name, len(data))
		}
		if got.VirtualAddress != end || got.Offset%opt.FileAlignment != 0 || got.Size%opt.FileAlignment != 0 || got.Characteristics != 0x40000040 {
			t.Errorf("section %s: %+v, want it at %#x", s.Name, got.SectionHeader, end)
		}
		end = (got.VirtualAddress + got.VirtualSize + 0xfff) &^ 0xfff
	}
	if opt.SizeOfImage != end || opt.CheckSum != 0 {
		t.Errorf("size of image %#x, want %#x; checksum %#x", opt.SizeOfImage, end, opt.CheckSum)
	}
}

func TestWriteUKIRefuses(t *testing.T) {
	edit := func(at int, v byte) []byte { s := stub(); s[at] = v; return s }
	one := []Section{{".linux", []byte("k")}}
	tests := []struct {
		name     string
		stub     []byte
		sections []Section
		want     string
	}{
		{"empty", nil, one, "the stub has 0 bytes"},
		{"no PE", edit(0x40, 'X'), one, "the stub is no PE32+ file"},
		{"PE elsewhere", edit(0x3f, 0xff), one, "the stub is no PE32+ file"},
		{"cut off", stub()[:0x500], one, "the stub is cut off"},
		{"headers cut off", stub()[:0x100], one, "the stub's headers are cut off"},
		{"too many", stub(), make([]Section, 20), "the stub has no room for the headers of 20 more sections"},
		{"long name", stub(), []Section{{".linuxlinux", []byte("k")}}, `section ".linuxlinux" of 1 bytes`},
		{"empty section", stub(), []Section{{".linux", nil}}, `section ".linux" of 0 bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := WriteUKI(new(bytes.Buffer), tt.stub, tt.sections)
			if err == nil || !strings.HasPrefix(err.Error(), "write UKI: "+tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
