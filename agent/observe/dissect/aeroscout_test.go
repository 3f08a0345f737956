package dissect

import "testing"

// aeroScout is a message with so many bytes behind its header.
func aeroScout(code byte, behind string) []byte {
	return []byte("\x7c\x83\x00\x01" + string([]byte{code, 0}) + string(u16s(uint16(8+len(behind)))) + behind)
}

func TestAeroScout(t *testing.T) {
	recognised(t, (*AeroScout).Decode, aeroScout(0xd9, "\x00\x1a\x1e\x00\x00\x01\x00\x01abcdefgh"), AeroScout{Kind: AeroScoutNotification})
	recognised(t, (*AeroScout).Decode, aeroScout(0xd0, ""), AeroScout{Kind: AeroScoutReceipt})
	for name, b := range map[string][]byte{"empty": nil, "magic": []byte("\x7c\x84\x00\x01\xd0\x00\x00\x08"), "code": aeroScout(0xd1, ""),
		"length": append(aeroScout(0xd9, ""), 0), "a receipt with more": aeroScout(0xd0, "a"), "short": aeroScout(0xd0, "")[:7]} {
		if new(AeroScout).Decode(b) {
			t.Errorf("%s: recognised", name)
		}
	}
}

func TestCanaryAeroScout(t *testing.T) {
	var k marker
	checkCanaries(t, (*AeroScout).Decode, canary{"notification", aeroScout(0xd9, k.next()+k.next()), 0})
}

func FuzzAeroScout(f *testing.F) {
	f.Add(aeroScout(0xd9, "abcdefgh"))
	f.Add(aeroScout(0xd0, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m AeroScout
		m.Decode(b)
		checkMessage(t, &m)
	})
}
