package rules

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

func embedded(t testing.TB) *Set {
	t.Helper()
	s, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEmbeddedIsWhatWasAgreed(t *testing.T) {
	s := embedded(t)
	oui, roles := 0, map[device.Role]bool{}
	for _, sig := range s.Signatures {
		if slices.Contains(sig.Kinds, Maker) || slices.Contains(sig.Kinds, fact.OUIVendor) {
			oui++
		}
		for r := range sig.Roles {
			roles[r] = true
		}
	}
	t.Logf("%d signatures over %d roles, %d rest on the MAC prefix alone", len(s.Signatures), len(roles), oui)
	if len(s.Signatures) < 60 || len(roles) < 12 || oui > 15 {
		t.Error("want at least 60 signatures over 12 roles, at most 15 on the MAC prefix alone")
	}
}

// The life-sustaining roles are the ones that the design lists; a change of
// this list is a change of the safety case.
func TestLifeSustaining(t *testing.T) {
	want := []device.Role{"infusion-pump-lvp", "infusion-pump-syringe", "infusion-pump-pca", "pump-server", "patient-monitor",
		"central-station", "telemetry", "fetal-monitor", "ventilator", "anaesthesia-machine", "neonatal-incubator", "dialysis", "crrt",
		"defibrillator", "capnograph-oximeter", "device-integration-gateway", "serial-device-server", "nurse-call", "medical-gas"}
	s := embedded(t)
	var got []device.Role
	for _, r := range s.Roles.Names() {
		if c, _ := s.Roles.Class(r); c == device.LifeSustaining {
			got = append(got, r)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("life-sustaining roles (-want +got):\n%s", diff)
	}
	if n := len(s.Roles.Names()); n != 74 {
		t.Errorf("%d roles, want the 74 of the taxonomy", n)
	}
	if _, ok := s.Roles.Class("toaster"); ok || s.Roles.Rank("toaster") != 74 {
		t.Error("a role that there is not has a class or a rank")
	}
}

func TestVendors(t *testing.T) {
	v := embedded(t).Vendors
	tests := []struct{ owner, want string }{
		{"B.Braun Melsungen AG", "B. Braun"},
		{"Philips Patient Monitoring", "Philips"},
		{"Philips Lighting BV", "Signify"},
		{"Philips Oral Healthcare, Inc.", ""}, // toothbrushes are no monitors
		{"Siemens AG, Healthcare Sector", "Siemens Healthineers"},
		{"Siemens AG, Automations & Drives,", "Siemens"},
		{"Cisco Meraki", "Cisco Meraki"},
		{"Cisco Systems, Inc", "Cisco"},
		{"Hewlett Packard Enterprise", "HPE"},
		{"Hewlett Packard", "HP"},
		{"Dell'Orto S.P.A.", ""},
		{"Dell Inc.", "Dell"},
		{"Delta Electronics, Inc.", "Delta Electronics"},
		{"Contec GmbH", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got, _ := v.ByRegistry(tt.owner); got.Name != tt.want {
			t.Errorf("owner %q is %q, want %q", tt.owner, got.Name, tt.want)
		}
	}
	for alias, want := range map[string]string{"Hospira": "ICU Medical", "hewlett-packard": "HP", "GE_Marquette": "GE HealthCare", "philips": "Philips"} {
		if got, _ := v.ByName(alias); got.Name != want {
			t.Errorf("alias %q is %q, want %q", alias, got.Name, want)
		}
	}
}

// small is a whole set; file replaces fingerprints/a.toml.
func small(sigs string) fstest.MapFS {
	return fstest.MapFS{
		"roles.toml": {Data: []byte("[[role]]\nname = 'printer'\nclass = 'support'\nmeans = 'prints'\n" +
			"[[role]]\nname = 'unknown'\nclass = 'other'\nmeans = 'none'\n")},
		"fingerprints/a.toml": {Data: []byte(sigs)},
	}
}

const good = `[[signature]]
id = "a.b"
kinds = ["http.server"]
match = '^X(?P<model>\d)'
evidence = "model"
roles = { printer = 3 }
vendor = "HP"
model = '${model}'
source = "here"
basis = "document"
examples = [ { facts = [{ kind = "http.server", value = 'X1' }], want = { role = 'printer' } } ]
`

func TestLoadErrors(t *testing.T) {
	swap := func(old, new string) fs.FS {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the good file", old)
		}
		return small(strings.Replace(good, old, new, 1))
	}
	noUnknown := small(good)
	noUnknown["roles.toml"] = &fstest.MapFile{Data: []byte("[[role]]\nname = 'printer'\nclass = 'support'\nmeans = 'prints'\n")}
	badClass := small(good)
	badClass["roles.toml"] = &fstest.MapFile{Data: []byte("[[role]]\nname = 'printer'\nmeans = 'prints'\n")}
	twice := small(good)
	twice["fingerprints/b.toml"] = &fstest.MapFile{Data: []byte(good)}
	vendor := small(good)
	vendor["vendors.toml"] = &fstest.MapFile{Data: []byte("[[vendor]]\nname = 'A'\n[[vendor]]\nname = 'B'\naliases = ['a.']\n")}
	tests := []struct {
		name string
		in   fs.FS
		want string
	}{
		{"good", small(good), ""},
		{"no roles", fstest.MapFS{}, "read roles: open roles.toml: file does not exist"},
		{"no fingerprints", fstest.MapFS{"roles.toml": small("")["roles.toml"]}, "read fingerprints: the folder fingerprints holds no .toml file"},
		{"unknown key", swap(`evidence =`, `evidense =`), `fingerprints/a.toml:5: unknown key "signature.evidense" (nearest: "evidence")`},
		{"unknown key in an example", swap(`want = {`, `wants = {`), `fingerprints/a.toml:11: unknown key "signature.examples.wants" (nearest: "want")`},
		{"no example", swap(`examples = [ {`, `examples = [ ] # {`), `fingerprints/a.toml:2: signature "a.b": no example`},
		{"stale example", swap(`'X1'`, `'Y1'`), `fingerprints/a.toml:2: signature "a.b": example 1: none of its facts matches the signature`},
		{"example of no kind", swap(`kind = "http.server"`, `kind = "http.srv"`), `fingerprints/a.toml:2: signature "a.b": example 1: unknown kind "http.srv"`},
		{"example of no role", swap(`role = 'printer' }`, `role = 'plotter' }`), `fingerprints/a.toml:2: signature "a.b": example 1: unknown role "plotter"`},
		{"no source", swap(`source = "here"`, `source = ""`), `fingerprints/a.toml:2: signature "a.b": no source says where it is known from`},
		{"no basis", swap(`basis = "document"`, ``), `fingerprints/a.toml:2: signature "a.b": no basis says what the source rests on: hint, document or wire`},
		{"the file's basis", small("basis = 'wire'\n" + strings.Replace(good, `basis = "document"`, ``, 1)), ""},
		{"unknown basis", swap(`"document"`, `"rumour"`), `fingerprints/a.toml:10: basis "rumour": want hint, document or wire`},
		{"heavy hint", swap(`"document"`, `"hint"`), `fingerprints/a.toml:2: signature "a.b": weight 3 for printer: a hint weighs 2 at most`},
		{"sure hint", small(strings.NewReplacer(`"document"`, `"hint"`, `printer = 3`, `printer = 2`, `model = '${model}'`, "model = '${model}'\nconfidence = 'likely'").Replace(good)),
			`fingerprints/a.toml:2: signature "a.b": confidence likely: what a hint states is a candidate`},
		{"unknown kind", swap(`["http.server"]`, `["http.srv"]`), `fingerprints/a.toml:2: signature "a.b": unknown kind "http.srv"`},
		{"unknown role", swap(`printer = 3`, `plotter = 3`), `fingerprints/a.toml:2: signature "a.b": unknown role "plotter"`},
		{"too heavy", swap(`printer = 3`, `printer = 7`), `fingerprints/a.toml:2: signature "a.b": weight 7 for printer: evidence model goes from -2 to 5, without 0`},
		{"no evidence", swap(`evidence = "model"`, ``), `fingerprints/a.toml:2: signature "a.b": roles without evidence`},
		{"unknown evidence", swap(`"model"`, `"hunch"`), `fingerprints/a.toml:5: evidence "hunch": want type, model, protocol, behaviour, dhcp, product, oui, announced, peers, port, stack or name`},
		{"not anchored", swap(`'^X`, `'X`), `fingerprints/a.toml:2: signature "a.b": match must be anchored: begin with ^ or (^|`},
		{"no regular expression", swap(`\d)`, `\d`), "fingerprints/a.toml:2: signature \"a.b\": match: error parsing regexp: missing closing ): `^X(?P<model>\\d`"},
		{"two ways", swap(`evidence`, "equals = ['x']\nevidence"), `fingerprints/a.toml:2: signature "a.b": 2 ways to match, want one of equals, prefix, suffix, contains, match`},
		{"empty text", swap(`match = '^X(?P<model>\d)'`, `prefix = ['']`), `fingerprints/a.toml:2: signature "a.b": an empty text matches everything`},
		{"no such group", swap(`${model}`, `${modell}`), `fingerprints/a.toml:2: signature "a.b": template "${modell}": no group "modell" in match`},
		{"unknown vendor", swap(`"HP"`, `"Hewlett"`), `fingerprints/a.toml:2: signature "a.b": vendor "Hewlett" is not in the vocabulary`},
		{"alias for a vendor", swap(`"HP"`, `"Hewlett-Packard"`), `fingerprints/a.toml:2: signature "a.b": vendor "Hewlett-Packard" is not in the vocabulary`},
		{"bad id", swap(`"a.b"`, `"A b"`), `fingerprints/a.toml:2: signature "A b": the id must be lower-case words joined by dots and hyphens`},
		{"id twice", twice, `fingerprints/b.toml:2: signature "a.b": the id stands in a.toml already`},
		{"role unknown is missing", noUnknown, `roles.toml: role "unknown" is missing`},
		{"role without class", badClass, `roles.toml:2: role "printer" has no class`},
		{"vendor twice", vendor, `vendors.toml:4: vendor "B": "a." names "A" already`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.in)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A folder of rules without vendors.toml uses the vocabulary of the binary.
func TestLoadFallsBackToTheVocabulary(t *testing.T) {
	s, err := Load(small(good))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Vendors.ByName("Philips"); !ok {
		t.Error("the vocabulary is empty")
	}
}

func TestMatch(t *testing.T) {
	s := embedded(t)
	tests := []struct {
		kind  fact.Kind
		value string
		want  []string
	}{
		{fact.DHCPVendorClass, "msft 5.0", []string{"dhcp.windows"}},
		{fact.DHCPVendorClass, "MSFT 5.0 and more", nil},
		{fact.DHCPVendorClass, "", nil},
		{fact.Serves, "tcp/104", []string{"dicom.listens"}},
		{fact.Serves, "tcp/1040", nil},
		{fact.TLSSNI, "evilteamviewer.com", nil},
		{fact.IVModel, "866064", []string{"intellivue.mx500", "intellivue.product-number"}},
		{"no.kind", "x", nil},
	}
	for _, tt := range tests {
		var got []string
		s.Match(tt.kind, tt.value, func(sig *Signature) { got = append(got, sig.ID) })
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.kind, tt.value, diff)
		}
	}
}

// TestCommandsOfLabAutomation: what tells an analyser what to do is no analyser.
func TestCommandsOfLabAutomation(t *testing.T) {
	for kind, want := range map[string]bool{"ESU_U01": true, "EAR_U08": true, "EAC_U07": false, "ESR_U02": false} {
		analyser := false
		embedded(t).Match(fact.HL7Type, kind, func(s *Signature) { analyser = analyser || s.Roles["lab-analyser"] > 0 })
		if analyser != want {
			t.Errorf("%s: an analyser %v, want %v", kind, analyser, want)
		}
	}
}

func TestAttributes(t *testing.T) {
	s := embedded(t)
	for _, sig := range s.Signatures {
		if sig.ID != "dhcp.printer-mfg" {
			continue
		}
		got := sig.Attributes("Mfg=Hewlett Packard;Typ=Printer;Mod=HP LaserJet 400 M401n;Ser=VNB3C12345;", s.Vendors)
		if diff := cmp.Diff(Attributes{Vendor: "HP", Model: "LaserJet 400 M401n", Serial: "VNB3C12345"}, got); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
		return
	}
	t.Error("dhcp.printer-mfg is gone")
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good), []byte("[[vendor]]\nname = 'HP'\n"))
	f.Fuzz(func(t *testing.T, sigs, vendors []byte) {
		in := small(string(sigs))
		in["vendors.toml"] = &fstest.MapFile{Data: vendors}
		s, err := Load(in)
		if err != nil {
			return
		}
		for _, k := range []fact.Kind{fact.HTTPServer, fact.DHCPHostname} {
			s.Match(k, string(sigs), func(sig *Signature) { sig.Attributes(string(sigs), s.Vendors) })
		}
		s.Vendors.ByRegistry(string(vendors))
	})
}
