package dissect

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rwhat says that a monitor is there; label has place and patient, 31 bytes.
func rwhat(label string, services ...uint16) []byte {
	b := append([]byte{1, 4, 0, 0, 126, 0, 0, 1, 0x5f, 0x5e, 0x10, 0}, label...)
	b = append(b[:12:12], append([]byte(label), make([]byte, 31)...)[:31]...)
	b = append(append(b, byte(len(services)/2)), u16s(services...)...)
	return append(b, make([]byte, max(0, 88-len(b)))...)
}

// unityMessage is a header with a function, and values behind it.
func unityMessage(function, sub uint16, values string) []byte {
	b := append([]byte{126, 0, 0, 9, 0, 0, 126, 0, 0, 1, 0, 0}, u16s(function, sub, 1, 2, 3, 4)...)
	return append(append(b, make([]byte, 36)...), values...)
}

func TestUnity(t *testing.T) {
	want := Unity{Kind: UnityRWHAT, IP: [4]byte{126, 0, 0, 1}, ServicesLen: 2}
	want.Services[0], want.Services[1] = UnityService{3, 2000}, UnityService{0x13, 3000}
	recognised(t, (*Unity).Decode, rwhat("ICU|BED1\x00", 3, 2000, 0x13, 3000), want)
	for kind, f := range map[UnityKind][2]uint16{UnityVitals: {0xc9, 0x14}, UnityAlarm: {0xc9, 4}, UnityRequest: {0xca, 0x21}} {
		recognised(t, (*Unity).Decode, unityMessage(f[0], f[1], "x"), Unity{Kind: kind, IP: [4]byte{126, 0, 0, 1}})
	}
	for name, b := range map[string][]byte{
		"empty": nil, "no services": rwhat(""), "too long": append(rwhat("", 3, 2000), 0), "not filled up with zeroes": append(rwhat("", 3, 2000)[:87], 1), "another number": append([]byte{1, 5}, rwhat("", 3, 2000)[2:]...),
		"another function": unityMessage(0xc9, 5, "x"), "short": unityMessage(0xc9, 4, "")[:59],
	} {
		if new(Unity).Decode(b) {
			t.Errorf("%s: recognised", name)
		}
	}
}

func TestUnityVector(t *testing.T) {
	var m Unity
	b := vector(t, "ge_rwhat")
	if !m.Decode(b) || m.ServicesLen != 7 || m.Services[0] != (UnityService{3, 2000}) || m.Services[6] != (UnityService{12, 2000}) {
		t.Errorf("%+v", m)
	}
}

// TestBlankUnity: place and patient are gone from the frame itself, and nothing else.
func TestBlankUnity(t *testing.T) {
	payload := rwhat("ICU|BED1\x00CANARY,JANE", 3, 2000)
	frame := func(port uint16, flags byte) []byte {
		b := append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x00\x45\x00\x00\x74\x00\x01"), flags, 0, 64, 17, 0, 0, 126, 0, 0, 1, 126, 255, 255, 255)
		return append(append(b, u16s(3028, port, 96, 0)...), payload...)
	}
	tests := []struct {
		name  string
		b     []byte
		blank bool
	}{
		{"RWHAT", frame(7000, 0), true},
		{"first fragment", frame(7000, 0x20), true},
		{"another port", frame(7001, 0), false},
		{"cut in the name", frame(7000, 0)[:70], true},
		{"cut in the header", frame(7000, 0)[:36], false},
	}
	for _, tt := range tests {
		want := bytes.Clone(tt.b)
		if tt.blank {
			clear(want[42+12 : min(len(want), 42+43)])
		}
		var v View
		v.Decode(FrameHeader{Link: LinkEthernet}, tt.b)
		v.BlankUnity()
		if d := cmp.Diff(want, tt.b); d != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, d)
		}
	}
}

func FuzzUnity(f *testing.F) {
	f.Add(rwhat("x", slices.Repeat([]uint16{3, 2000}, 11)...))
	f.Add(unityMessage(0xc9, 0x14, "x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Unity
		m.Decode(b)
		checkMessage(t, &m)
		v := View{Transport: TransportUDP, DstPort: 7000, Payload: b}
		v.BlankUnity()
		v = View{Fragment: FragmentFirst, FragProto: 17, FragData: b}
		v.BlankUnity()
	})
}
