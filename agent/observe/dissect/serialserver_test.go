package dissect

import "testing"

// addp is a message of Digi's discovery with items.
func addp(kind uint16, items ...string) []byte {
	list := ""
	for _, i := range items {
		list += i[:1] + string(block8([]byte(i[1:])))
	}
	return append([]byte("DIGI"+string(u16s(kind, uint16(len(list))))), list...)
}

// moxaReply0 is an answer of a Moxa box with a MAC.
func moxaAnswer(mac string) []byte {
	return []byte("\x81\x00\x00\x18\x00\x00\x00\x00\x10\x51\x00\x80\x10\x51" + mac + "\xc0\x00\x02\x07")
}

func TestADDP(t *testing.T) {
	recognised(t, (*ADDP).Decode, addp(2, "\x01\x00\x40\x9d\x00\x00\x01", "\x04name", "\x08Version 82001234", "\x0dConnect SP", "\x12\x04"),
		ADDP{Response: true, MAC: [6]byte{0, 0x40, 0x9d, 0, 0, 1}, Product: TextOf("Connect SP"), Firmware: TextOf("Version 82001234"), Ports: 4})
	recognised(t, (*ADDP).Decode, addp(1, "\x01\xff\xff\xff\xff\xff\xff"), ADDP{})
	for name, b := range map[string][]byte{"empty": nil, "magic": []byte("DOGI\x00\x01\x00\x00"), "no MAC": addp(2, "\x01\x00", "\x12\x00\x04"), "type": addp(99), "length": append(addp(2), 0)} {
		if new(ADDP).Decode(b) {
			t.Errorf("%s: recognised", name)
		}
	}
}

func TestMoxa(t *testing.T) {
	recognised(t, (*Moxa).Decode, moxaAnswer("\x00\x90\xe8\x00\x00\x01"), Moxa{Model: 0x5110, MAC: [6]byte{0, 0x90, 0xe8, 0, 0, 1}})
	for name, b := range map[string][]byte{"question": []byte("\x01\x00\x00\x08\x00\x00\x00\x00"), "length": append(moxaAnswer("\x00\x90\xe8\x00\x00\x01"), 0), "another maker": moxaAnswer("\x00\x90\xe9\x00\x00\x01")} {
		if new(Moxa).Decode(b) {
			t.Errorf("%s: recognised", name)
		}
	}
}

func TestLantronix(t *testing.T) {
	recognised(t, (*Lantronix).Decode, []byte("\x00\x00\x00\xf7\x00\x01"), Lantronix{Response: true})
	recognised(t, (*Lantronix).Decode, []byte("\x00\x00\x00\xf6"), Lantronix{})
	for _, s := range []string{"", "\x00\x00\x00", "\x00\x00\x00\xf8", "\x01\x00\x00\xf7"} {
		if new(Lantronix).Decode([]byte(s)) {
			t.Errorf("%q: recognised", s)
		}
	}
}

func FuzzSerialServers(f *testing.F) {
	f.Add(addp(2, "\x01\x00\x40\x9d\x00\x00\x01", "\x08v", "\x0dp", "\x12\x04"))
	f.Add(moxaAnswer("\x00\x90\xe8\x00\x00\x01"))
	f.Add([]byte("\x00\x00\x00\xf7"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a ADDP
		a.Decode(b)
		checkMessage(t, &a)
		var m Moxa
		m.Decode(b)
		checkMessage(t, &m)
		var l Lantronix
		l.Decode(b)
		checkMessage(t, &l)
	})
}
