package dissect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const poctHello = `<?xml version="1.0" encoding="UTF-8"?>` + "\r\n" + `<HEL.R01><HDR><HDR.message_type V="HEL.R01"/><HDR.control_id V="no"/><HDR.version_id V="POCT1"/><HDR.creation_dttm V="no"/></HDR>
<DEV><DEV.device_id V="0012345678ABCDEF"/><DEV.vendor_id V="MKR"></DEV.vendor_id><DEV.model_id V="Meter &amp; Dock"/><DEV.serial_id V='S-77'/><DEV.manufacturer_name V="Maker"/>
<DEV.hw_version V="2"/><DEV.sw_version V="3.1"/><DEV.device_name V="meter"/><DEV.serial_id V="no"/><DCP><DEV.model_id V="no"/></DCP><DSC><DSC.connection_profile_cd V="no"/></DSC></DEV>
<DSC><DSC.connection_profile_cd V="SA"/></DSC><PT><PT.name V="no"/></PT></HEL.R01>`

func hello1A() POCT1A {
	return POCT1A{Message: POCTHello, DeviceID: TextOf("0012345678ABCDEF"), Vendor: TextOf("MKR"), Model: TextOf("Meter & Dock"), Serial: TextOf("S-77"),
		Maker: TextOf("Maker"), Hardware: TextOf("2"), Software: TextOf("3.1"), Name: TextOf("meter")}
}

func TestPOCT1A(t *testing.T) {
	bare := poctHello[strings.Index(poctHello, "<HEL"):]
	status := func(code string) string {
		return `<DST.R01><HDR><HDR.version_id V="no"/></HDR><DST><DST.condition_cd V="` + code + `"/><DEV.serial_id V="no"/></DST></DST.R01>`
	}
	tests := []struct {
		name, b string
		want    POCT1A
	}{
		{"hello", poctHello, hello1A()},
		{"hello without a declaration", bare, hello1A()},
		{"hello behind a mark and space", "\xef\xbb\xbf \r\n" + bare, hello1A()},
		{"ready", status("R"), POCT1A{Message: POCTStatus, State: POCTReady}},
		{"busy", status("B"), POCT1A{Message: POCTStatus, State: POCTOther}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := POCT1A{Name: TextOf("left over")}
			if p := m.DecodeStream([]byte(tt.b)); p != Done {
				t.Fatal(p)
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			for i := range len(tt.b) {
				if p := m.DecodeStream([]byte(tt.b[:i])); p != NeedMore {
					t.Fatalf("%d bytes: %v", i, p)
				}
			}
		})
	}
	for n := POCTMessage(3); n.String() != ""; n++ {
		var m POCT1A
		if p := m.DecodeStream([]byte("<" + n.String() + ">")); p != Done || m != (POCT1A{Message: n}) {
			t.Errorf("%v: %v, %v", n, p, m.Message)
		}
	}
	var m POCT1A
	if p := m.DecodeStream([]byte(bare[:len(bare)-10] + strings.Repeat("<x/>", 1100))); p != Done || m.Serial.String() != "S-77" {
		t.Errorf("longer than the window: %v, %q", p, m.Serial)
	}
}

func TestPOCT1ARefuses(t *testing.T) {
	for _, b := range []string{"<HEL.R02>", "<hel.r01>", "<HEL.R01x>", "<?xml version='1.0'?><stream:stream>", "<?xm?>", "<html>", "<?xml " + strings.Repeat("x", 200), "HEL.R01", "<!DOCTYPE x>"} {
		if p := new(POCT1A).DecodeStream([]byte(b)); p != No {
			t.Errorf("%.20q: %v", b, p)
		}
	}
}

func TestPOCT1AAllocs(t *testing.T) {
	b, m := []byte(poctHello), new(POCT1A)
	noAllocs(t, func() { m.DecodeStream(b); _ = m.Message.String() })
}

func FuzzPOCT1A(f *testing.F) {
	f.Add([]byte(poctHello))
	f.Add([]byte(`<DST.R01><DST><DST.condition_cd V="R"/></DST></DST.R01>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m POCT1A
		m.DecodeStream(b)
		_, _ = m.Message.String(), m.State.String()
		checkMessage(t, &m)
	})
}
