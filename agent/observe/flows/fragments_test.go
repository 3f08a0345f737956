package flows

import (
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// part is a fragment of a datagram.
func part(id, offset uint32, more bool, data string) *dissect.View {
	v := packet(pump, server, dissect.TransportNone, data)
	v.Fragment = dissect.FragmentLater
	v.FragID, v.FragOffset, v.FragMore, v.FragProto, v.FragData = id, offset, more, 17, []byte(data)
	return v
}

func TestFragments(t *testing.T) {
	a, b, c := strings.Repeat("a", 16), strings.Repeat("b", 8), "end"
	other := part(1, 0, true, a)
	other.SrcIP[0]++
	cut := part(1, 16, true, b)
	cut.Truncated = true
	// Pieces of 8 bytes: as they come, and each second one first, which leaves
	// more holes than are counted.
	const pieces = 2*maxSpans + 2
	var tiny, holes []*dissect.View
	for i := range uint32(pieces) {
		tiny = append(tiny, part(1, 8*i, i < pieces-1, b))
	}
	for i := range tiny {
		holes = append(holes, tiny[(2*i+2*i/pieces)%pieces])
	}
	tests := []struct {
		name  string
		parts []*dissect.View
		want  string
	}{
		{"tiny", tiny, strings.Repeat(b, pieces)},
		{"more holes than are counted", holes, ""},
		{"no beginning", []*dissect.View{part(1, 16, true, b), part(1, 24, false, c)}, ""},
		{"the end alone", []*dissect.View{part(1, 0, false, a)}, a},
		{"overlap that agrees", []*dissect.View{part(1, 0, true, a), part(1, 8, true, a), part(1, 24, false, c)}, ""},
		{"offset beyond any datagram", []*dissect.View{part(1, 0, true, a), part(1, 0xfff8, false, a)}, ""},
		{"in order", []*dissect.View{part(1, 0, true, a), part(1, 16, true, b), part(1, 24, false, c)}, a + b + c},
		{"backwards", []*dissect.View{part(1, 24, false, c), part(1, 16, true, b), part(1, 0, true, a)}, a + b + c},
		{"a copy", []*dissect.View{part(1, 0, true, a), part(1, 0, true, a), part(1, 16, false, c)}, a + c},
		{"a hole", []*dissect.View{part(1, 0, true, a), part(1, 24, false, c)}, ""},
		{"overlap", []*dissect.View{part(1, 0, true, a), part(1, 8, true, a), part(1, 24, false, c)}, ""},
		{"a copy that differs", []*dissect.View{part(1, 0, true, a), part(1, 0, true, b), part(1, 16, false, c)}, ""},
		{"bad for good", []*dissect.View{part(1, 0, true, a), part(1, 8, true, a), part(1, 16, false, c), part(1, 0, true, a)}, ""},
		{"two ends", []*dissect.View{part(1, 16, false, c), part(1, 16, false, "endless"), part(1, 0, true, a)}, ""},
		{"behind the end", []*dissect.View{part(1, 16, false, c), part(1, 24, true, b), part(1, 0, true, a)}, ""},
		{"end before what came", []*dissect.View{part(1, 24, true, b), part(1, 16, false, c), part(1, 0, true, a)}, ""},
		{"another id", []*dissect.View{part(1, 0, true, a), part(2, 16, false, c)}, ""},
		{"another source", []*dissect.View{other, part(1, 16, false, c)}, ""},
		{"too long", []*dissect.View{part(1, 0, true, a), part(1, maxDatagram, false, c)}, ""},
		{"cut by the capture", []*dissect.View{part(1, 0, true, a), cut, part(1, 24, false, c)}, ""},
		{"empty", []*dissect.View{part(1, 0, true, a), part(1, 16, false, "")}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f Fragments
			got, frames, bytes := "", uint64(0), uint64(0)
			for _, p := range tt.parts {
				var data []byte
				if data, frames, bytes = f.Add(p, FromDevice, 5, 100); data != nil {
					got = string(data)
				}
			}
			if got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			if n := uint64(len(tt.parts)); got != "" && (frames != n || bytes != 100*n) {
				t.Errorf("%d frames of %d bytes, want %d", frames, bytes, n)
			}
		})
	}
}

// An id is used again after a while, also where the first datagram came whole
// and one of its fragments came late.
func TestFragmentIDIsUsedAgain(t *testing.T) {
	var f Fragments
	for i, text := range []string{"12345678", "abcdefgh"} {
		f.Add(part(1, 0, true, text), FromDevice, 1+int64(i), 100)
		if data, frames, _ := f.Add(part(1, 8, false, "x"), FromDevice, 1+int64(i), 100); string(data) != text+"x" || frames != 2 {
			t.Errorf("%q of %d frames", data, frames)
		}
	}
	f.Add(part(1, 0, true, "abcdefgh"), FromDevice, 3, 100) // late
	f.Add(part(1, 0, true, "ABCDEFGH"), FromDevice, fragmentLifetime+4, 100)
	if data, _, _ := f.Add(part(1, 8, false, "x"), FromDevice, fragmentLifetime+4, 100); string(data) != "ABCDEFGHx" {
		t.Errorf("after a late fragment: %q", data)
	}
	if f.Dropped != 1 {
		t.Errorf("%d dropped, want 1", f.Dropped)
	}
}

func TestFragmentsAreGivenUp(t *testing.T) {
	var f Fragments
	f.Add(part(1, 0, true, "12345678"), FromDevice, 1, 100)
	if data, _, _ := f.Add(part(1, 8, false, "x"), FromDevice, fragmentLifetime+2, 100); data != nil {
		t.Error("put together after its lifetime")
	}
	for id := range uint32(1000) {
		f.Add(part(100+id, 0, true, "12345678"), FromDevice, fragmentLifetime+3, 100)
	}
	f.Add(part(5000, 0, true, "12345678"), FromDevice, fragmentLifetime+4, 100)
	if data, _, _ := f.Add(part(5000, 8, false, "x"), FromDevice, fragmentLifetime+4, 100); string(data) != "12345678x" {
		t.Errorf("after a flood: %q", data)
	}
	if f.Dropped < 900 {
		t.Errorf("%d dropped", f.Dropped)
	}
}

// A host that guesses the id must not get its bytes into a datagram of another:
// what is read of them would be told of that one.
func TestFragmentsOfOthersAreApart(t *testing.T) {
	first := func() *dissect.View { return part(1, 0, true, "12345678") }
	forged := first()
	forged.SrcMAC[5]++
	for name, tt := range map[string]struct {
		v   *dissect.View
		way Way
	}{
		"another MAC":  {forged, FromDevice},
		"from outside": {first(), ToDevice},
	} {
		var f Fragments
		f.Add(tt.v, tt.way, 1, 100)
		if data, _, _ := f.Add(part(1, 8, false, "x"), FromDevice, 2, 100); data != nil {
			t.Errorf("%s: put together: %q", name, data)
		}
		if data, frames, _ := f.Add(first(), FromDevice, 3, 100); string(data) != "12345678x" || frames != 2 {
			t.Errorf("%s: the device's own: %q of %d frames", name, data, frames)
		}
	}
}

// Who sends only beginnings does not push out the datagrams of others.
func TestFragmentsOfFloodIsItsOwnLoss(t *testing.T) {
	var f Fragments
	f.Add(part(7, 0, true, "12345678"), FromDevice, 1, 100)
	for id := range uint32(1000) {
		v := part(id, 0, true, "XXXXXXXX")
		v.SrcMAC[5]++
		f.Add(v, FromDevice, 2+int64(id), 100)
	}
	if data, _, _ := f.Add(part(7, 8, false, "x"), FromDevice, 2000, 100); string(data) != "12345678x" {
		t.Errorf("put together %q", data)
	}
	if want := uint64(1000 - maxOfSender); f.Dropped != want {
		t.Errorf("%d dropped, want %d", f.Dropped, want)
	}
}

// Payload may be of a patient: nothing of it stays behind.
func TestFragmentsKeepNothing(t *testing.T) {
	long := strings.Repeat("P", 4096)
	kept := func(f *Fragments) (n int) {
		for i := range f.d {
			n += strings.Count(string(f.d[i].buf[:cap(f.d[i].buf)]), "P")
		}
		return n
	}
	var f Fragments
	f.Add(part(1, 0, true, long), FromDevice, 1, 100)
	if data, _, _ := f.Add(part(1, 4096, false, "P"), FromDevice, 1, 100); len(data) != 4097 {
		t.Fatalf("put together %d bytes", len(data))
	}
	f.Release()
	if n := kept(&f); n != 0 {
		t.Errorf("%d bytes of a datagram that was read", n)
	}
	f.Add(part(2, 0, true, long), FromDevice, 1, 100)
	f.Add(part(2, 8, false, "P"), FromDevice, 1, 100) // a contradiction
	if n := kept(&f); n != 0 {
		t.Errorf("%d bytes of a datagram that contradicts itself", n)
	}
	f.Add(part(3, 0, true, long), FromDevice, 1, 100)
	f.Expire(fragmentLifetime + 2)
	if n := kept(&f); n != 0 {
		t.Errorf("%d bytes of a datagram that was given up", n)
	}
	for id := range uint32(maxDatagrams) {
		for at := uint32(0); at < maxDatagram; at += 4096 {
			f.Add(part(10+id, at, true, long), FromDevice, fragmentLifetime+3, 100)
		}
	}
	total := 0
	for i := range f.d {
		total += cap(f.d[i].buf)
	}
	if total > maxDatagrams*maxDatagram {
		t.Errorf("buffers of %d bytes in all", total)
	}
}

func FuzzFragments(f *testing.F) {
	f.Add([]byte{0, 1, 8, 2, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var fr Fragments
		for now := int64(1); len(b) >= 3; now += sec {
			n := int(b[2]) % 64
			v := part(uint32(b[0]&3), uint32(b[1])*8, b[0]&4 != 0, strings.Repeat("x", n))
			v.Truncated = b[0]&8 != 0
			b = b[3:]
			if data, frames, _ := fr.Add(v, FromDevice, now, n); len(data) > maxDatagram || data != nil && frames == 0 {
				t.Fatalf("%d bytes of %d frames", len(data), frames)
			}
		}
	})
}
