package fact

import "testing"

// Names as phones, tablets and computers make them up from their owner's, in
// the languages whose systems do.
func TestPersonalNames(t *testing.T) {
	for _, s := range []string{
		// English: apostrophe, typographic apostrophe before and after a dissector, none
		"Jane's iPhone", "Jane\u2019s iPhone", "Jane_s iPhone", "Janes-iPhone", "Jane-s-iPad", "Janes-MacBook-Pro.local", "Janes-Mac-mini",
		"JANES-LAPTOP", "Jane-PC", "jdoe-laptop", "Jane-MBP", "Janes-MBP", "janesiphone", "Jane-s-S21", "Jane-s-Galaxy-Tab-A", "Dr. Jane's iPad", "Jane's",
		"Jane-s-Kindle", "jane-s-iphone.clinic.example", "Doe-iPad3", "Jane Doe iPhone 12", "janes-thinkpad",
		"jdoe2-iphone", "Janes-iPhone<", "jane1990s-ipad",
		// German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Danish, Catalan
		"iPhone von Jane", "iPhone-von-Jane", "MacBook Air von J\u00fcrgen", "J\u00fcrgens-iPhone", "Galaxy-S10-von-Jane", "Handy von Jane",
		"iPhone de Marie", "iPhone-de-Marie", "iPhone d'Anne", "iPhone-d-Anne", "Galaxy Tab de Marie", "iPhonedeMarie", "PC-de-Jean",
		"iPad de Jos\u00e9", "iPhone do Carlos", "iPhone da Maria", "iPhone di Marco", "MacBook Pro di Anna", "iPad van Jan", "Annas iPhone", "Annes-iPad",
		"iPhone de l'Anna", "Mac mini von Jane", "Apple-Watch-von-Jane",
		// Finnish, Polish, Czech, Turkish, Hungarian, Vietnamese
		"Annan iPhone", "iPhone (Anna)", "iPhone \u2014 Jana", "Jana \u2013 iPad", "Ay\u015fe'nin iPhone'u", "Anna iPhone-ja", "iPhone c\u1ee7a Anh",
		// people without things
		"jane.doe@hospital.example", "Jane Doe jane@hospital.example", "contact:jane@hospital.example", "jane@m\u00fcller.example", "jane@hospital.\u092d\u093e", "DOE, JANE", "doe, jane", "M\u00fcller, Anna",
		"O'Neil, Anna M.", "DOE^JANE", "DOE^JANE^M", "12345678", "12345678.local", "1234567890.clinic.example",
	} {
		if v, ok := New(MDNSName, s); !v.Personal() || !ok || v.String() != "" {
			t.Errorf("%q kept as %q, want personal", s, v)
		}
	}
}

// What is not anybody's must stay, or roles are missed.
func TestProductNames(t *testing.T) {
	for _, s := range []string{
		"iPhone", "iPad-3", "iPhone-14-Pro-Max", "iPhone-SE", "iPad-Air.local", "MacBook-Pro-2", "MacBook-Air.local", "Mac-mini", "iMac-Pro", "Galaxy-S10", "Galaxy-Tab-A",
		"Galaxy-A52s-5G", "Galaxy-Z-Flip3", "Galaxy-Note20-Ultra", "Pixel-6-Pro", "Pixel-7a", "iphone.clinic.example", "ward7-ipad-03", "nurses-ipad-2",
		"android-0123456789abcdef", "DESKTOP-7QRT2KM", "LAPTOP-7QRT2KM", "HUAWEI-P30-lite", "HUAWEI_P30",
		"wireless-phone", "Windows-Phone", "philips-tablet", "ICU3-PC", "nurse-pc", "lenovo-laptop", "spare-notebook", "laptop-01", "tablet-pc", "mini-pc", "radws12", "rad-pc-04", "opc-server", "ipc-of-gate", "IPADDR-1",
		"PUMP-S-01", "ALARIS_S_1", "pump-of-care", "point-of-care", "point-of-care-tablet", "embed12", "CARESCAPE_B650", "SENDING_APPLICATION", "STORE_SCP", "MX800", "DCS-935L",
		"Hewlett-Packard, Inc.", "APP^1.2.840.1^ISO", "HP LaserJet 400", "EPSON Stylus", "dräger-v500", "raspberrypi", "series-s-3", "_apple-mobdev2._tcp.local", "_airplay._tcp.local",
		"user@host", "hospital.example", "12345", "iphone-ward3", "ipad-wifi6", "iphone14pro", "ipad-a2197",
	} {
		if v, ok := New(MDNSName, s); v.Personal() || !ok {
			t.Errorf("%q was taken for a person's", s)
		}
	}
}

func TestBedLabels(t *testing.T) {
	for in, want := range map[string]string{
		"mx500-bed12-rm4": "mx500", "bed12-rm4-mx500": "mx500", "mx-bed12-pump": "mx-pump", "mx500-Zimmer 7": "mx500", "mx500_bed-3b_x": "mx500_x",
		"lit12-mx500": "mx500", "bed1-bed2-bed3": "", "embed12": "embed12", "bed": "bed", "room-service": "room-service",
	} {
		v, ok := New(DHCPHostname, in)
		if v.String() != want || ok != (want != "") || v.Cut() != (ok && in != want) {
			t.Errorf("New(%q) = %q, ok %v, cut %v; want %q", in, v, ok, v.Cut(), want)
		}
	}
	if v, _ := New(HL7Equipment, "MX800_BED12__EUI-64"); v.String() != "MX800__EUI-64" || !v.Cut() {
		t.Errorf("equipment with a bed kept as %q", v)
	}
}

// Who set a device up may name it for a person, whatever the field is called.
func TestPersonalIDs(t *testing.T) {
	for _, k := range []Kind{HL7Equipment, HL7Device, POCTDeviceID} {
		for s, want := range map[string]bool{
			"Jane's iPad": true, "DOE^JANE": true, "12345678": true, "jane@clinic.example": true, "Dr. Janes-Laptop": true,
			"Infusomat Space^^001221FFFE645ED0^EUI-64": false, "sn-9_maker_001221FFFE0A0B0C_EUI-64": false, "0012-AB": false, "P1": false,
		} {
			if v, ok := New(k, s); v.Personal() != want || !ok {
				t.Errorf("%s %q: personal %v, want %v", k, s, v.Personal(), want)
			}
		}
		if v, _ := New(k, "MX800_BED12__EUI-64"); v.String() != "MX800__EUI-64" {
			t.Errorf("%s: a bed kept as %q", k, v)
		}
	}
}

// A mail address in a banner hides behind other words.
func TestMailInBanner(t *testing.T) {
	for s, want := range map[string]bool{
		"Robot/1.0 (+mailto:jane@hospital.example)": true, "built by jane@hospital.example": true, "user@host": false, "SSH-2.0@5": false, "Linux 5.4 #1 SMP": false,
	} {
		if v, _ := New(HTTPUserAgent, s); v.Personal() != want {
			t.Errorf("%q: personal %v, want %v", s, v.Personal(), want)
		}
	}
}

func FuzzPersonal(f *testing.F) {
	for _, s := range []string{"Jane's iPhone", "pc-de-jean", "a^b", "iphone-d-", "s-s-s", "_s ", "bed1-bed1-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := New(MDNSName, s)
		if v.Personal() && (v.String() != "" || !ok) {
			t.Fatalf("personal but kept %q", v)
		}
		// what was kept passes the gate again, unchanged
		if again, ok := New(MDNSName, v.String()); v.String() != "" && (!ok || again.String() != v.String()) {
			t.Fatalf("%q passed as %q and then as %q", s, v, again)
		}
	})
}
