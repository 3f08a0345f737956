package fact

import (
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	long := strings.Repeat("a", 300)
	tests := []struct {
		name string
		kind Kind
		in   string
		want string
		pers bool
		ok   bool
	}{
		{"host name", DHCPHostname, "PUMP-0042", "PUMP-0042", false, true},
		{"unknown kind", Kind("hl7.pid5_name"), "DOE^JANE", "", false, false},
		{"empty", DHCPHostname, " \t\r\n", "", false, false},
		{"control characters and quotes", HTTPServer, "a\x1b[2Jb\"c<d>|`\\^", "a_[2Jb_c_d_____", false, true},
		{"not ASCII", DHCPHostname, "M\xfcller-x", "M_ller-x", false, true},
		{"white space folds", LLDPSysDescr, "Linux\r\n  5.4\tbox ", "Linux 5.4 box", false, true},
		{"name is cut at 64", DHCPHostname, long, long[:64], false, true},
		{"banner is cut at 128", HTTPServer, long, long[:128], false, true},
		{"e-mail", DHCPHostname, "jane.doe@hospital.example", "", true, true},
		{"number", DHCPHostname, "12345678", "", true, true},
		{"five digits are no person", DHCPHostname, "12345", "12345", false, true},
		{"last, first", DICOMAETitle, "DOE, JANE", "", true, true},
		{"possessive", DHCPHostname, "Janes-iPhone", "", true, true},
		{"possessive with s-", DHCPHostname, "Jane-s-MacBook-Pro", "", true, true},
		{"possessive in mDNS", MDNSName, "Janes-iPad.local", "", true, true},
		{"possessive in German", DHCPHostname, "MacBook von Jane", "", true, true},
		{"a model is no person", DHCPHostname, "iPhone", "iPhone", false, true},
		{"plural first word is no gadget", DHCPHostname, "wireless-printer", "wireless-printer", false, true},
		{"bed label is cut", DHCPHostname, "mx500-bed12", "mx500", false, true},
		{"room label is cut", DHCPHostname, "rm-4-pump7", "pump7", false, true},
		{"only a bed label", DHCPHostname, "bed12", "", false, false},
		{"embedded is no bed", DHCPHostname, "embed12", "embed12", false, true},
		{"token charset", DICOMImplUID, "1.2.840;DROP", "1.2.840_DROP", false, true},
		{"type of a message", HL7Type, "ORU^R01^ORU_R01", "ORU_R01_ORU_R01", false, true},
		{"acknowledgement", HL7Receives, "ACK", "ACK", false, true},
		{"type of a site's own", HL7Type, "ZMW^Z01", "ZMW_Z01", false, true},
		{"type with a private event", HL7Type, "ORU^ZW1^", "ORU_ZW1_", false, true},
		{"type of an event of a problem", HL7Type, "PPR^PC1^PPR_PC1", "PPR_PC1_PPR_PC1", false, true},
		{"event that says no more", HL7Type, "ORU^", "ORU_", false, true},
		{"short name where a type should be", HL7Type, "LEE^ANN", "", false, false},
		{"initial where a type should be", HL7Type, "LEE^J", "", false, false},
		{"two short names where a type should be", HL7Type, "LEE^^ANN", "", false, false},
		{"name where a type should be", HL7Type, "DOE^JANE", "", false, false},
		{"number where a type should be", HL7Receives, "4711-0815", "", false, false},
		{"version", HL7Version, "2.5.1", "2.5.1", false, true},
		{"name where a version should be", HL7Version, "Jane", "", false, false},
		{"date where a version should be", HL7Version, "19700101", "", false, false},
		{"standard", ASTMStandard, "LIS2-A2", "LIS2-A2", false, true},
		{"older standard", ASTMStandard, "E 1394-97", "E 1394-97", false, true},
		{"first edition of a standard", ASTMStandard, "LIS2-A", "LIS2-A", false, true},
		{"number of a standard", ASTMStandard, "1", "1", false, true},
		{"name where a standard should be", ASTMStandard, "Jane Doe", "", false, false},
		{"date where a standard should be", ASTMStandard, "19700101", "", false, false},
		{"ventilator", PB840ID, "840 3510012345", "840 3510012345", false, true},
		{"name where a ventilator should be", PB840ID, "DOE JANE", "", false, false},
		{"SNI whole", TLSSNI, "a.very.long.example.com", "a.very.long.example.com", false, true},
		{"label of a person in SNI", TLSSNI, "www.janes-ipad.clinic.example", "clinic.example", false, true},
		{"label of a person and no domain behind it", TLSSNI, "janes-ipad.example", "", false, false},
		{"label of a person in SNI, and no other", TLSSNI, "Janes-iPhone", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := New(tt.kind, tt.in)
			if v.Cut() != (ok && strings.Contains(tt.name, "label")) {
				t.Errorf("cut %v", v.Cut())
			}
			if v.String() != tt.want || v.Personal() != tt.pers || ok != tt.ok {
				t.Errorf("New(%s) = %q, personal %v, ok %v; want %q, %v, %v", tt.kind, v, v.Personal(), ok, tt.want, tt.pers, tt.ok)
			}
		})
	}
}

func FuzzNew(f *testing.F) {
	for _, s := range []string{"PUMP-0042", "Janes-iPhone", "a\x00b", "bed12-bed13", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range []Kind{DHCPHostname, HTTPServer, DICOMImplUID, TLSSNI} {
			v, ok := New(k, s)
			if !ok && v != (Value{}) {
				t.Fatalf("%s: refused but kept %q", k, v)
			}
			if len(v.String()) > 255 {
				t.Fatalf("%s: %d characters kept", k, len(v.String()))
			}
			for _, c := range []byte(v.String()) {
				if c < 0x20 || c > 0x7e || strings.IndexByte("\"^|`\\<>", c) >= 0 {
					t.Fatalf("%s: kept character %#x", k, c)
				}
			}
		}
	})
}

func TestParseMAC(t *testing.T) {
	for in, want := range map[string]string{"00:09:fb:12:34:56": "00:09:fb:12:34:56", "00-09-FB-12-34-56": "00:09:fb:12:34:56"} {
		if m, err := ParseMAC(in); err != nil || m.String() != want {
			t.Errorf("ParseMAC(%q) = %v, %v", in, m, err)
		}
	}
	for in, want := range map[string]string{
		"00:09:fb":          "parse MAC: want aa:bb:cc:dd:ee:ff, got 8 characters",
		"00:09:fb:12:34:5g": "parse MAC: bad character near position 15",
		"00:09:fb.12:34:56": "parse MAC: bad character near position 6",
	} {
		if _, err := ParseMAC(in); err == nil || err.Error() != want {
			t.Errorf("ParseMAC(%q): %v, want %s", in, err, want)
		}
	}
}

func TestServiceString(t *testing.T) {
	for _, tt := range []struct {
		s    Service
		want string
	}{
		{Service{0x0800, 6, 443}, "tcp/443"}, {Service{0x86dd, 17, 53}, "udp/53"}, {Service{0x0800, 1, 8}, "icmp/8"},
		{Service{0x86dd, 58, 135}, "icmp6/135"}, {Service{0x0800, 47, 0}, "ip/47"}, {Service{0x88f7, 0, 0}, "ether/0x88f7"},
	} {
		if got := tt.s.String(); got != tt.want {
			t.Errorf("%+v = %q, want %q", tt.s, got, tt.want)
		}
	}
}
