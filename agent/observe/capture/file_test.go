package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// file builds a capture file, number by number.
type file struct {
	bytes.Buffer
	order binary.AppendByteOrder
}

func (f *file) put(v ...any) *file {
	for _, v := range v {
		switch v := v.(type) {
		case uint8:
			f.WriteByte(v)
		case uint16:
			f.Write(f.order.AppendUint16(nil, v))
		case uint32:
			f.Write(f.order.AppendUint32(nil, v))
		case uint64:
			f.Write(f.order.AppendUint64(nil, v))
		case string:
			f.WriteString(v)
		default:
			panic("the test writes a type that it cannot")
		}
	}
	return f
}

// block writes a pcapng block around the body.
func (f *file) block(kind uint32, body ...any) *file {
	inner := (&file{order: f.order}).put(body...)
	size := uint32(inner.Len() + 12)
	return f.put(kind, size, inner.String(), size)
}

func little() *file { return &file{order: binary.LittleEndian} }
func big() *file    { return &file{order: binary.BigEndian} }

// pcapOf is a classic file with a header for the link type.
func pcapOf(f *file, magic, link uint32) *file {
	return f.put(magic, uint16(2), uint16(4), uint32(0), uint32(0), uint32(65535), link)
}

// ngOf is a pcapng file's first section header.
func ngOf(f *file) *file {
	return f.block(ngSection, uint32(ngMagic), uint16(1), uint16(0), ^uint64(0))
}

func (f *file) enhanced(iface uint32, ts uint64, data string, length uint32) *file {
	padded := data + "\x00\x00\x00"[:(4-len(data)%4)%4]
	return f.block(ngEnhanced, iface, uint32(ts>>32), uint32(ts), uint32(len(data)), length, padded)
}

// got is what a test looks at of a frame.
type got struct {
	Data   string
	Length int
	Time   int64
	Link   platform.LinkType
}

func readAll(t testing.TB, name string, b []byte) (frames []got, mode string, err error) {
	t.Helper()
	f, err := NewFile(name, bytes.NewReader(b))
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	for {
		fr, err := f.Next(0)
		if errors.Is(err, io.EOF) {
			return frames, f.Mode(), nil
		}
		if err != nil {
			return frames, f.Mode(), err
		}
		if fr.Dir != platform.DirUnknown || fr.Length < len(fr.Data) {
			t.Fatalf("frame %d: direction %d, length %d of %d bytes", len(frames)+1, fr.Dir, fr.Length, len(fr.Data))
		}
		frames = append(frames, got{string(fr.Data), fr.Length, fr.Time, fr.Link})
	}
}

const second = int64(1e9)

func TestFormats(t *testing.T) {
	eth := func(data string, length int, at int64) got { return got{data, length, at, platform.LinkEthernet} }
	tests := []struct {
		name string
		file *file
		mode string
		want []got
	}{
		{"pcap, little endian", pcapOf(little(), pcapMicro, 1).
			put(uint32(5), uint32(7), uint32(3), uint32(60), "abc").put(uint32(6), uint32(0), uint32(0), uint32(0)),
			"pcap", []got{eth("abc", 60, 5*second+7000), eth("", 0, 6*second)}},
		{"pcap, big endian, nanoseconds", pcapOf(big(), pcapNano, 101).put(uint32(5), uint32(7), uint32(2), uint32(2), "ab"),
			"pcap", []got{{"ab", 2, 5*second + 7, platform.LinkRawIP}}},
		{"pcap, modified", pcapOf(little(), pcapModified, 113).
			put(uint32(5), uint32(7), uint32(2), uint32(2), uint32(3), uint16(0), uint16(0), "ab"),
			"pcap", []got{{"ab", 2, 5*second + 7000, platform.LinkLinuxCooked}}},
		{"pcap, with FCS length", pcapOf(little(), pcapMicro, 1|4<<28|1<<26).put(uint32(1), uint32(0), uint32(1), uint32(1), "x"),
			"pcap", []got{eth("x", 1, second)}},
		{"snoop", big().put("snoop\x00\x00\x00", uint32(2), uint32(4)).
			put(uint32(60), uint32(3), uint32(28), uint32(0), uint32(5), uint32(7), "abc\x00").
			put(uint32(1), uint32(1), uint32(25), uint32(0), uint32(6), uint32(0), "z"),
			"snoop", []got{eth("abc", 60, 5*second+7000), eth("z", 1, 6*second)}},
		{"pcapng", ngOf(little()).
			block(0x0bad, "ignored!").
			block(ngInterface, uint16(1), uint16(0), uint32(0), // nanoseconds, one hour ahead
				uint16(ngOptTSResol), uint16(1), "\x09\x00\x00\x00", uint16(ngOptTSOffset), uint16(8), uint64(3600), uint32(0)).
			block(ngInterface, uint16(276), uint16(0), uint32(4), uint16(ngOptTSResol), uint16(1), "\x8a\x00\x00\x00").
			enhanced(0, 5e9+7, "abc", 60).
			enhanced(1, 1536, "wxyz", 4). // 1.5 s in units of 1/1024 s
			block(ngPacket, uint16(0), uint16(9), uint32(0), uint32(8), uint32(1), uint32(1), "q\x00\x00\x00").
			block(ngSimple, uint32(3), "xyz\x00"),
			"pcapng", []got{eth("abc", 60, 3605*second+7), {"wxyz", 4, second + second/2, platform.LinkLinuxCooked2},
				eth("q", 1, 3600*second+8), eth("xyz", 3, 3600*second+8)}},
		{"pcapng, second section in the other byte order", func() *file {
			f := ngOf(little()).block(ngInterface, uint16(1), uint16(0), uint32(0)).enhanced(0, 1, "a", 1)
			f.order = binary.BigEndian
			return ngOf(f).block(ngInterface, uint16(0), uint16(0), uint32(0)).enhanced(0, 2, "b", 1)
		}(), "pcapng", []got{eth("a", 1, 1000), {"b", 1, 2000, platform.LinkNull}}},
		{"pcapng without frames", ngOf(big()), "pcapng", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frames, mode, err := readAll(t, "x", tt.file.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, frames); diff != "" || mode != tt.mode {
				t.Errorf("mode %q, want %q; frames (-want +got):\n%s", mode, tt.mode, diff)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	one := func(f *file) *file { return f.put(uint32(1), uint32(0), uint32(1), uint32(1), "x") }
	ng := func() *file {
		return ngOf(little()).block(ngInterface, uint16(1), uint16(0), uint32(0)).enhanced(0, 1, "x", 1)
	}
	tests := []struct {
		name   string
		file   *file
		frames int
		want   string
	}{
		{"empty", little(), 0, "capture file x: the file ends within it"},
		{"text", little().put("#!/bin/sh, and more of it"), 0, "capture file x: not pcap, pcapng or snoop: it begins with 23212f62"},
		{"gzip", little().put("\x1f\x8b\x08\x00"), 0, "capture file x: it is compressed by gzip; unpack it first"},
		{"header cut", little().put(uint32(pcapMicro), uint32(0)), 0, "capture file x: pcap header: the file ends within it"},
		{"foreign link", pcapOf(little(), pcapMicro, 105), 0,
			"capture file x: link type 105 (802.11) is not read (read are Ethernet, Linux cooked, raw IP, null)"},
		{"foreign link of snoop", big().put("snoop\x00\x00\x00", uint32(2), uint32(8)), 0,
			"capture file x: snoop data link type 8 is not read (read are Ethernet, Linux cooked, raw IP, null)"},
		{"old snoop", big().put("snoop\x00\x00\x00", uint32(1), uint32(4)), 0, "capture file x: snoop version 1 is not read, only 2"},
		{"second frame too long", one(pcapOf(little(), pcapMicro, 1)).put(uint32(1), uint32(0), uint32(1<<20), uint32(0)), 1,
			"capture file x: frame 2 at byte 41: captured length 1048576 is more than 262144 bytes"},
		{"second frame cut", one(pcapOf(little(), pcapMicro, 1)).put(uint32(1), uint32(0), uint32(9), uint32(9), "x"), 1,
			"capture file x: frame 2 at byte 41: the file ends within it"},
		{"second header cut", one(pcapOf(little(), pcapMicro, 1)).put(uint32(1)), 1,
			"capture file x: frame 2 at byte 41: the file ends within it"},
		{"snoop record", big().put("snoop\x00\x00\x00", uint32(2), uint32(4), uint32(1), uint32(1), uint32(24), uint32(0), uint64(0)), 0,
			"capture file x: frame 1 at byte 16: record length 24 does not fit a captured length of 1"},
		{"block length", ng().put(uint32(6), uint32(33), uint64(0)), 1, "capture file x: frame 2 at byte 84: block length 33 is impossible"},
		{"block end", ng().put(uint32(5), uint32(16), uint32(0), uint32(20)), 1,
			"capture file x: frame 2 at byte 84: block of 16 bytes ends with length 20"},
		{"block cut", ng().put(uint32(5), uint32(160), uint32(0)), 1, "capture file x: frame 2 at byte 84: the file ends within it"},
		{"no interface", ng().enhanced(1, 0, "x", 1), 1, "capture file x: frame 2 at byte 84: interface 1 was not described"},
		{"captured length", ng().block(ngEnhanced, uint32(0), uint64(0), uint32(9), uint32(9), "x\x00\x00\x00"), 1,
			"capture file x: frame 2 at byte 84: captured length 9 is more than its block holds"},
		{"resolution", ngOf(little()).block(ngInterface, uint16(1), uint16(0), uint32(0), uint16(9), uint16(1), "\x40\x00\x00\x00"), 0,
			"capture file x: frame 1 at byte 28: time resolution 0x40 is impossible"},
		{"byte order", little().block(ngSection, uint32(7), uint32(0), uint64(0)), 0,
			"capture file x: frame 1 at byte 0: section header: byte order mark 07000000 is unknown"},
		{"one interface foreign", ngOf(little()).block(ngInterface, uint16(105), uint16(0), uint32(0)).
			block(ngInterface, uint16(1), uint16(0), uint32(0)).enhanced(0, 1, "x", 1).enhanced(1, 1, "x", 1).enhanced(0, 1, "x", 1), 1,
			"capture file x: link type 105 (802.11) is not read (read are Ethernet, Linux cooked, raw IP, null); 2 of its frames left out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frames, _, err := readAll(t, "x", tt.file.Bytes())
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" || len(frames) != tt.frames {
				t.Errorf("%d frames, want %d; error (-want +got):\n%s", len(frames), tt.frames, diff)
			}
		})
	}
}

// A time stamp that is beyond wall time is none.
func TestNanoseconds(t *testing.T) {
	const most = 1<<63 - 1
	tests := []struct {
		units  uint64
		offset int64
		ts     uint64
		want   int64
	}{
		{1e9, 0, most, most},
		{1e9, 0, most + 1, 0},
		{1e9, -1, most + 1, 0},
		{1, 0, 1 << 63, 0},
		{1e6, 3, 5, 3*second + 5000},
		{1e6, -3, 3000005, 5000},
		{1e9, -1, 5, 0}, // before 1970
		{1e9, most / second, 0, most / second * second},
		{1e9, most / second, uint64(second), 0},
		{1e9, most/second + 1, 0, 0},
		{1e9, 1 << 62, 5, 0},
		{1e9, -1 << 63, 5, 0},
	}
	for _, tt := range tests {
		i := ngIface{units: tt.units, offset: tt.offset}
		if got := i.nanoseconds(tt.ts); got != tt.want {
			t.Errorf("%d in %d a second and %d s: %d, want %d", tt.ts, tt.units, tt.offset, got, tt.want)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none.pcap")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	name := filepath.Join(dir, "a.pcap")
	if err := os.WriteFile(name, pcapOf(little(), pcapMicro, 1).put(uint32(1), uint32(0), uint32(1), uint32(1), "x").Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Next(0); err != nil {
		t.Error(err)
	}
	if s := f.Stats(); s.Frames != 1 {
		t.Errorf("stats %+v", s)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Next(0); !errors.Is(err, platform.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	b := pcapOf(little(), pcapMicro, 1)
	for range 1000 {
		b.put(uint32(1), uint32(0), uint32(3), uint32(60), "abc")
	}
	f, err := NewFile("x", bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(500, func() {
		if _, err := f.Next(0); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(pcapOf(little(), pcapNano, 1).put(uint32(1), uint32(0), uint32(1), uint32(1), "x").Bytes())
	f.Add(big().put("snoop\x00\x00\x00", uint32(2), uint32(4), uint32(1), uint32(1), uint32(25), uint32(0), uint64(0), "x").Bytes())
	f.Add(ngOf(big()).block(ngInterface, uint16(1), uint16(0), uint32(0)).enhanced(0, 1, "x", 1).block(ngSimple, uint32(3), "xyz\x00").Bytes())
	f.Add(pcapOf(little(), pcapMicro, linkPPI).put(uint32(1), uint32(0), uint32(9), uint32(9), ppiOf(8, 1, "x")).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, _, err := readAll(t, "x", b)
		n := 0
		for _, fr := range frames {
			n += len(fr.Data)
		}
		if n > len(b) {
			t.Fatalf("%d bytes of frames out of %d bytes of file, error %v", n, len(b), err)
		}
	})
}
