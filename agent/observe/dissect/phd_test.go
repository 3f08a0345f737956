package dissect

import (
	"strings"
	"testing"
)

// phdPart is what an association says of a device or (0x80) its manager.
func phdPart(system, config string) string {
	return "\x80\x00\x00\x00\xa0\x00\x80\x00\x00\x00\x00\x00\x00\x00" + system + "\x00\x08\x11\x22\x33\x44\x55\x66\x77\x88" + config + "\x00\x01\x01\x00\x00\x00\x00\x00"
}

func apdu(choice uint16, v string) []byte { return append(u16s(choice), block16([]byte(v))...) }

func phdAssociation(parts string, count uint16) []byte {
	return apdu(phdAARQ, "\x80\x00\x00\x00"+string(u16s(count))+string(block16([]byte(parts))))
}

func phdData(choice uint16, v string) []byte {
	return apdu(phdPRST, string(block16([]byte("\x00\x01"+string(u16s(choice))+string(block16([]byte(v)))))))
}

// phdAttributes is the answer to a get of an object.
func phdAttributes(object uint16, attributes ...string) []byte {
	list := ""
	for _, a := range attributes {
		list += a[:2] + string(block16([]byte(a[2:])))
	}
	return phdData(phdGet, string(u16s(object, uint16(len(attributes)), uint16(len(list))))+list)
}

func TestPHD(t *testing.T) {
	apduIs := func(t *testing.T, b []byte, want PHD) {
		t.Helper()
		want.Next = len(b)
		recognised(t, done((*PHD).DecodeStream), b, want)
	}
	id := EUI64{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}
	agent, manager := "\x00\x80\x00\x00", "\x80\x00\x00\x00"
	label := func(s string) string { return string(block16([]byte(s))) }
	apduIs(t, phdAssociation("\x50\x79"+label(phdPart(agent, "\x01\x90")), 1), PHD{Kind: PHDRequest, SystemID: id, Config: 0x190})
	apduIs(t, phdAssociation("\xff\xff"+label("x")+"\x50\x79"+label(phdPart(agent, "\x40\x00")), 2), PHD{Kind: PHDRequest, SystemID: id, Config: 0x4000})
	apduIs(t, apdu(phdAARE, "\x00\x03\x50\x79"+label(phdPart(manager, "\x00\x00"))), PHD{Kind: PHDResponse, Manager: true, SystemID: id})
	apduIs(t, phdAttributes(0, "\x09\x28"+label("Maker\x00")+label("Ox 9\x00\x00"), "\x09\x2d\x00\x02\x00\x00\x00\x01\x00\x00"+label("SN7")+"\x00\x05\x00\x00"+label("1.2"),
		"\x09\x84"+label("\x11\x22\x33\x44\x55\x66\x77\x88"), "\x0a\x44\x01\x90", "\x0a\x5a\x00\x01\x00\x04\x10\x04\x00\x01", "\x09\x87time"),
		PHD{Kind: PHDAttributes, SystemID: id, Config: 0x190, Manufacturer: TextOf("Maker"), Model: TextOf("Ox 9"), Serial: TextOf("SN7"), Firmware: TextOf("1.2"), Profiles: [4]uint16{4100}, ProfilesLen: 1})
	apduIs(t, phdAttributes(7, "\x09\x28"+label("Maker")+label("Ox 9")), PHD{Kind: PHDAttributes})
	for event, kind := range map[string]PHDKind{
		"\x0d\x1b": PHDOther, "\x0d\x1c": PHDOther, // it tells its configuration
		"\x0d\x1d": PHDReport, "\x0d\x21": PHDReport, "\x0d\x2d": PHDReport, "\x0d\x2e": PHDOther,
	} {
		for _, choice := range []uint16{phdEvent, phdCEvent} {
			apduIs(t, phdData(choice, "\x00\x00\xff\xff\xff\xff"+event+"\x00\x00"), PHD{Kind: kind})
		}
	}
	apduIs(t, phdData(phdEvent, "\x00\x00\xff\xff\xff\xff\x0d"), PHD{Kind: PHDOther})
	apduIs(t, phdData(0x0107, "x"), PHD{Kind: PHDOther})

	for name, b := range map[string][]byte{
		"version": apdu(phdAARQ, "\x40\x00\x00\x00\x00\x01\x00\x00"), "list": apdu(phdAARQ, "\x80\x00\x00\x00\x00\x01\x00\x09"), "no protocol of ours": phdAssociation("\xff\xff"+label("x"), 1),
		"rejected": apdu(phdAARE, "\x00\x01\x00\x00\x00\x00"), "result": apdu(phdAARE, "\x00\x09\x50\x79\x00\x00"), "octets": apdu(phdPRST, "\x00\x07\x00\x01\x02\x03\x00\x00"), "choice": phdData(0x0209, "x"),
		"release": apdu(0xe400, "\x00\x00"), "data that are cut": phdData(phdGet, "")[:4],
	} {
		if name != "data that are cut" && new(PHD).DecodeStream(b) != No || new(PHD).DecodeStream(b) == Done {
			t.Errorf("%s: recognised", name)
		}
	}
	// Of what goes on behind the window no length proves the others.
	long := phdAttributes(0, "\x0a\x44\x01\x90", "\x0a\x4b"+strings.Repeat("x", phdWindow))
	apduIs(t, long, PHD{Kind: PHDAttributes})
	recognised(t, done((*PHD).DecodeStream), long[:phdWindow], PHD{Kind: PHDAttributes, Next: len(long)})

	b := phdAttributes(0, "\x0a\x44\x01\x90")
	for i := range b {
		if p := new(PHD).DecodeStream(b[:i]); p != NeedMore {
			t.Fatalf("%d bytes: %v", i, p)
		}
	}
}

func FuzzPHD(f *testing.F) {
	f.Add(phdAssociation("\x50\x79"+string(block16([]byte(phdPart("\x00\x80\x00\x00", "\x01\x90")))), 1))
	f.Add(phdAttributes(0, "\x0a\x44\x01\x90", "\x0a\x5a\x00\x01\x00\x04\x10\x04\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m PHD
		m.DecodeStream(b)
		checkMessage(t, &m)
	})
}
