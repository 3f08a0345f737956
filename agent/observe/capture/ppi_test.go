package capture

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// ppiOf is a frame behind a PPI header that says how long it is itself and what
// follows it.
func ppiOf(size uint16, link uint32, rest string) string {
	return (&file{order: binary.LittleEndian}).put(uint8(0), uint8(0), size, link, rest).String()
}

func TestPPI(t *testing.T) {
	const foreign = "capture file x: link type 105 (802.11) is not read (read are Ethernet, Linux cooked, raw IP, null); 1 of its frames left out"
	unread := func(length int) []got { return []got{{"", length, second, platform.LinkRawIP}} }
	tests := []struct {
		name  string
		frame string
		want  []got
		err   string
	}{
		{"Ethernet behind a field", ppiOf(16, 1, "\x02\x00\x04\x00\x01\x02\x03\x04abc"), []got{{"abc", 5, second, platform.LinkEthernet}}, ""},
		{"raw IP", ppiOf(8, 101, "abc"), []got{{"abc", 5, second, platform.LinkRawIP}}, ""},
		{"nothing behind it", ppiOf(8, 1, ""), []got{{"", 2, second, platform.LinkEthernet}}, ""},
		{"802.11", ppiOf(8, 105, "abc"), nil, foreign},
		{"in itself", ppiOf(8, linkPPI, ppiOf(8, 1, "abc")), nil,
			"capture file x: link type 192 (PPI) is not read (read are Ethernet, Linux cooked, raw IP, null); 1 of its frames left out"},
		{"cut", "\x00\x00\x08\x00\x01\x00\x00", unread(9), ""},
		{"longer than the frame", ppiOf(12, 1, "abc"), unread(13), ""},
		{"shorter than itself", ppiOf(7, 1, "abc"), unread(13), ""},
		{"empty", "", unread(2), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			length := uint32(len(tt.frame)) + 2
			files := map[string]*file{
				"pcap": pcapOf(big(), pcapMicro, linkPPI).
					put(uint32(1), uint32(0), uint32(len(tt.frame)), length, tt.frame),
				"pcapng": ngOf(little()).block(ngInterface, uint16(linkPPI), uint16(0), uint32(0)).
					enhanced(0, 1e6, tt.frame, length),
			}
			for name, f := range files {
				frames, _, err := readAll(t, "x", f.Bytes())
				told := ""
				if err != nil {
					told = err.Error()
				}
				if diff := cmp.Diff(tt.want, frames) + cmp.Diff(tt.err, told); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}
