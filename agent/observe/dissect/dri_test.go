package dissect

import (
	"encoding/binary"
	"strings"
	"testing"
)

// dri is a frame with a record: main type, then subrecords of a type and data.
func dri(main uint16, level byte, subs ...string) []byte {
	head, data := make([]byte, driHeader), ""
	head[driLevel] = level
	binary.LittleEndian.PutUint16(head[driMain:], main)
	for i := range 8 {
		s := head[driSubs+3*i:]
		s[2] = driSubEnd
		if i < len(subs) {
			binary.LittleEndian.PutUint16(s, uint16(len(data)))
			s[2] = subs[i][0]
			data += subs[i][1:]
		}
	}
	binary.LittleEndian.PutUint16(head, uint16(driHeader+len(data)))
	b, sum := append(head, data...), byte(0)
	for _, c := range b {
		sum += c
	}
	return driFrame(append(b, sum))
}

// driFrame stuffs and frames bytes.
func driFrame(b []byte) []byte {
	out := []byte{driFlag}
	for _, c := range b {
		if c == driFlag || c == driEscape {
			out = append(out, driEscape, c^0x20)
			continue
		}
		out = append(out, c)
	}
	return append(out, driFlag)
}

func TestDRI(t *testing.T) {
	decode := done((*DRI).DecodeStream)
	registration := "\x00\x00\x40\x97\x7e\x00\x7d\x0a\x00\x08\x00"
	b := dri(5, 8, "\x06patient", registration)
	recognised(t, decode, b, DRI{Record: DRINetwork, Level: 8, Registered: true, MAC: [6]byte{0, 0x40, 0x97, 0x7e, 0, 0x7d}, DeviceType: 10, Next: len(b)})
	for main, r := range map[uint16]DRIRecord{0: DRIValues, 1: DRIWave, 4: DRIAlarm, 8: DRIFO} {
		b := dri(main, 11, "\x01some values")
		recognised(t, decode, b, DRI{Record: r, Level: 11, Next: len(b)})
	}
	for _, main := range []uint16{0, 1, 4} { // a collector asks by records of the same form
		b := dri(main, 11, "\x00\x01\x0a\x00\x0e\x00\x00\x00\x00\x00")
		recognised(t, decode, b, DRI{Record: DRIRequest, Level: 11, Next: len(b)})
		b = dri(main, 11)
		recognised(t, decode, b, DRI{Record: DRIRequest, Level: 11, Next: len(b)})
	}
	double := append([]byte{driFlag, driFlag}, dri(0, 3, "\x02")...)
	recognised(t, decode, append(double, "behind"...), DRI{Record: DRIValues, Level: 3, Next: len(double)})
	recognised(t, decode, dri(5, 8, "\x00\x00\x40"), DRI{Record: DRINetwork, Level: 8, Next: len(dri(5, 8, "\x00\x00\x40"))}) // too short for a registration

	bad := dri(0, 8)
	bad[len(bad)-2]++
	long := dri(0, 8)
	binary.LittleEndian.PutUint16(long[1:], 41)
	long[len(long)-2]++
	for name, b := range map[string][]byte{
		"checksum": bad, "length": long, "level 0": dri(0, 0), "level 16": dri(0, 16), "main type": dri(2, 8), "short": driFrame([]byte("abc")), "PPP": []byte("\x7e\xff\x7d\x23\xc0\x21\x7e"),
		"nothing is escaped": []byte("\x7e\x28\x00\x7d\x41"), "no flag": []byte("x"), "another length": driFrame(make([]byte, 60)),
	} {
		if p := new(DRI).DecodeStream(b); p != No {
			t.Errorf("%s: %v", name, p)
		}
	}
	endless := append(dri(0, 8)[:20], make([]byte, driWindow)...)
	if p := new(DRI).DecodeStream(endless); p != No {
		t.Errorf("a frame that does not end: %v", p)
	}
	for i := range b {
		if p := new(DRI).DecodeStream(b[:i]); p != NeedMore {
			t.Fatalf("%d bytes: %v", i, p)
		}
	}
}

func TestResyncDRI(t *testing.T) {
	frame, flags := string(dri(0, 8, "\x00values")), strings.Repeat("\x7e", 1400)
	for in, want := range map[string]int{
		"values" + frame[len(frame)-2:] + frame: 8, "x": 0, "": 0, "x" + frame: 0, "x\x7e\x7ejunk, and more of it": 0, "x\x7e\x7ejunk, and more of it\x7e" + frame: 24, "x" + flags + "junk, and more of it": 0,
	} {
		if got := resyncDRI([]byte(in)); got != want {
			t.Errorf("%.40q: %d, want %d", in, got, want)
		}
	}
}

func TestDRIVector(t *testing.T) {
	b := vector(t, "dri_frame")
	recognised(t, done((*DRI).DecodeStream), b, DRI{Record: DRINetwork, Level: 8, Next: len(b)})
}

func FuzzDRI(f *testing.F) {
	f.Add(dri(5, 8, "\x06patient", "\x00\x00\x40\x97\x7e\x00\x7d\x0a\x00\x08\x00"))
	f.Add(dri(0, 11, "\x00values"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m DRI
		if p := m.DecodeStream(b); p == Done && (m.Next <= 0 || m.Next > len(b)) {
			t.Errorf("next at %d of %d", m.Next, len(b))
		}
		checkMessage(t, &m)
	})
}
