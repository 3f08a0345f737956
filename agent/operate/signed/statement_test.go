package signed

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	ping       = `{"v":1,"kind":"command","op":"ping","id":"0000-0001","site":"st-mary","target":["all"],"seq":1,"nbf":"2026-11-28T14:00:00Z","exp":"2026-11-28T15:00:00Z","root":1,"reason":"test","args":{}}`
	quarantine = `{"v":1,"kind":"command","op":"quarantine","id":"0000-0001","site":"st-mary","target":["gw1","grp/icu"],"seq":1,"nbf":"2026-11-28T14:00:00Z","exp":"2026-11-28T15:00:00Z","root":1,"boot_id":"b","deadline_ms":5,"reason":"test","args":{"device":"d1","seconds":60}}`
)

// Everything about a payload that is not the one spelling of one valid
// statement is refused.
func TestParseStatement(t *testing.T) {
	sorted := strings.Replace(quarantine, `"gw1","grp/icu"`, `"grp/icu","gw1"`, 1)
	for _, c := range []struct {
		name, text, old, new string
		want                 Reason
	}{
		{"ping", ping, "", "", ""},
		{"quarantine", sorted, "", "", ""},
		// JSON that two readers could read in two ways
		{"op and OP", ping, `"op":"ping"`, `"op":"release","OP":"ping"`, ReasonNotCanonical},
		{"OP alone", ping, `"op"`, `"OP"`, ReasonNotCanonical},
		{"a key twice", ping, `"op":"ping"`, `"op":"reboot","op":"ping"`, ReasonNotCanonical},
		{"a key twice, one escaped", ping, `"op":"ping"`, `"\u006fp":"reboot","op":"ping"`, ReasonNotCanonical},
		{"a key of the args twice", sorted, `"device":"d1"`, `"device":"d2","device":"d1"`, ReasonNotCanonical},
		{"a key of the args in another case", sorted, `"seconds":60`, `"seconds":60,"Seconds":6`, ReasonNotCanonical},
		{"unknown key", ping, `"args"`, `"extra":1,"args"`, ReasonMalformed},
		{"unknown key of the args", ping, `"args":{}`, `"args":{"x":1}`, ReasonInvalidArgs},
		{"another order", ping, `"v":1,"kind":"command"`, `"kind":"command","v":1`, ReasonNotCanonical},
		{"another order of the args", sorted, `"device":"d1","seconds":60`, `"seconds":60,"device":"d1"`, ReasonNotCanonical},
		{"a space", ping, `"v":1`, `"v": 1`, ReasonNotCanonical},
		{"a space in the args", ping, `"args":{}`, `"args":{ }`, ReasonNotCanonical},
		{"a line behind", ping, `{}}`, "{}}\n", ReasonNotCanonical},
		{"trailing data", ping, `{}}`, "{}}{}", ReasonMalformed},
		{"trailing zero", ping, `{}}`, "{}}\x00", ReasonMalformed},
		{"byte order mark", ping, `{"v"`, "\ufeff" + `{"v"`, ReasonMalformed},
		{"not UTF-8", ping, `"test"`, "\"te\xffst\"", ReasonNotCanonical},
		{"half of a surrogate pair", ping, `"test"`, `"te\ud800st"`, ReasonNotCanonical},
		{"an escape that need not be", ping, `"test"`, `"\u0074est"`, ReasonNotCanonical},
		{"HTML as it is", ping, `"test"`, `"a <b> & c"`, ""},
		{"HTML escaped", ping, `"test"`, `"a \u003cb> & c"`, ReasonNotCanonical},
		{"HTML escaped in the args", policyText, `version`, `\u003cversion`, ReasonNotCanonical},
		{"HTML as it is in the args", policyText, `version`, `<version`, ""},
		{"a slash escaped", ping, `"test"`, `"a\/b"`, ReasonNotCanonical},
		{"a line separator in the args", policyText, `version`, "\u2028version", ReasonNotCanonical},
		{"a line separator escaped in the args", policyText, `version`, `\u2028version`, ""},
		{"op of nothing", policyText, `"kind":"policy"`, `"kind":"policy","op":""`, ReasonNotCanonical},
		{"null", ping, ping, `null`, ReasonNotCanonical},
		{"args null", ping, `"args":{}`, `"args":null`, ReasonNotCanonical},
		{"args a list", ping, `"args":{}`, `"args":[]`, ReasonInvalidArgs},
		{"no args", ping, `,"args":{}`, ``, ReasonNotCanonical},
		{"a list that is null", strings.Replace(policyText, `"policy"`, `"devices"`, 1), `{"toml":"version = 1"}`, `{"entries":null}`, ReasonInvalidArgs},
		{"tags that are null", sorted, `"op":"quarantine"`, `"op":"tag"`, ReasonInvalidArgs},
		// numbers
		{"seq as big as may be", ping, `"seq":1`, `"seq":9007199254740991`, ""},
		{"seq bigger", ping, `"seq":1`, `"seq":9007199254740992`, ReasonMalformed},
		{"seq that overflows", ping, `"seq":1`, `"seq":18446744073709551617`, ReasonMalformed},
		{"seq below zero", ping, `"seq":1`, `"seq":-1`, ReasonMalformed},
		{"seq zero", ping, `"seq":1`, `"seq":0`, ReasonMalformed},
		{"seq with an exponent", ping, `"seq":1`, `"seq":1e0`, ReasonMalformed},
		{"seq with a point", ping, `"seq":1`, `"seq":1.0`, ReasonMalformed},
		{"seq as text", ping, `"seq":1`, `"seq":"1"`, ReasonMalformed},
		{"seconds that overflow", sorted, `60`, `9223372036854775808`, ReasonInvalidArgs},
		{"seconds below zero", sorted, `60`, `-60`, ReasonInvalidArgs},
		{"seconds minus zero", sorted, `60`, `-0`, ReasonNotCanonical},
		{"for ever", sorted, `60`, `604801`, ReasonInvalidArgs},
		// what a statement says
		{"version", ping, `"v":1`, `"v":2`, ReasonMalformed},
		{"kind", ping, `"command"`, `"firmware"`, ReasonWrongType},
		{"op", ping, `"ping"`, `"format"`, ReasonUnknownOp},
		{"op of no command", policyText, `"policy"`, `"policy","op":"ping"`, ReasonUnknownOp},
		{"no op", ping, `"op":"ping",`, ``, ReasonUnknownOp},
		{"args of another op", sorted, `"op":"quarantine"`, `"op":"release"`, ReasonInvalidArgs},
		{"short id", ping, `0000-0001`, `0001`, ReasonMalformed},
		{"id with a slash", ping, `0000-0001`, `0000/0001`, ReasonMalformed},
		{"id in capitals", ping, `0000-0001`, `0000-000A`, ReasonMalformed},
		{"id with a line break behind", ping, `0000-0001`, `0000-0001\n`, ReasonMalformed},
		{"site", ping, `st-mary`, `#`, ReasonMalformed},
		{"no target", ping, `["all"]`, `[]`, ReasonMalformed},
		{"target null", ping, `["all"]`, `null`, ReasonMalformed},
		{"all and another", ping, `["all"]`, `["all","gw1"]`, ReasonMalformed},
		{"targets not sorted", quarantine, "", "", ReasonMalformed},
		{"a target twice", ping, `["all"]`, `["gw1","gw1"]`, ReasonMalformed},
		{"a target that is no name", ping, `["all"]`, `["grp/#"]`, ReasonMalformed},
		{"group of a group", ping, `["all"]`, `["grp/grp/x"]`, ReasonMalformed},
		{"time with a fraction", ping, `14:00:00Z`, `14:00:00.5Z`, ReasonMalformed},
		{"time in another zone", ping, `14:00:00Z`, `14:00:00+01:00`, ReasonMalformed},
		{"time that is none", ping, `11-28T14`, `02-30T14`, ReasonMalformed},
		{"expired when it begins", ping, `15:00:00Z`, `14:00:00Z`, ReasonMalformed},
		{"no root", ping, `"root":1`, `"root":0`, ReasonMalformed},
		{"boot without deadline", sorted, `,"deadline_ms":5`, ``, ReasonMalformed},
		{"deadline without boot", sorted, `"boot_id":"b",`, ``, ReasonMalformed},
		{"deadline below zero", sorted, `"deadline_ms":5`, `"deadline_ms":-5`, ReasonMalformed},
		{"rollback of a command", ping, `"reason"`, `"rollback_of":1,"reason"`, ReasonMalformed},
		{"rollback", policyText, `"reason"`, `"rollback_of":1,"reason"`, ""},
		{"rollback of what comes later", policyText, `"reason"`, `"rollback_of":3,"reason"`, ReasonMalformed},
		{"no reason", ping, `"test"`, `""`, ReasonMalformed},
		{"a reason that moves the cursor", ping, `"test"`, `"\u001b[2J"`, ReasonMalformed},
		{"a reason that turns text around", ping, `"test"`, "\"\u202etest\"", ReasonMalformed},
		{"a long reason", ping, `"test"`, `"` + strings.Repeat("x", 257) + `"`, ReasonMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.old != "" && !strings.Contains(c.text, c.old) {
				t.Fatalf("%s is not in the text", c.old)
			}
			text := strings.Replace(c.text, c.old, c.new, 1)
			s, err := ParseStatement([]byte(text))
			if reason(err) != c.want {
				t.Fatalf("refused for %q (%v), want %q", reason(err), err, c.want)
			}
			if err != nil {
				return
			}
			again, err := encode(s)
			if err != nil || string(again) != text {
				t.Errorf("encoded again: %s, %v", again, err)
			}
		})
	}
}

const policyText = `{"v":1,"kind":"policy","id":"0000-0001","site":"st-mary","target":["all"],"seq":2,"nbf":"2026-11-28T14:00:00Z","exp":"2026-11-28T15:00:00Z","root":1,"reason":"test","args":{"toml":"version = 1"}}`

// Every kind and op goes there and back, and has bounds.
func TestArgs(t *testing.T) {
	for _, c := range []struct {
		name string
		args Args
		want string // of the error, "" if fine
	}{
		{"quarantine", Quarantine{Device: "mac:00:11:22:33:44:55", Seconds: 60, Hooks: []string{"nac", "switch"}, Code: "2345-ACDE"}, ""},
		{"quarantine of nothing", Quarantine{Seconds: 60}, `device "": want the id of one`},
		{"hooks twice", Quarantine{Device: "d", Seconds: 1, Hooks: []string{"a", "a"}}, `hooks: "a": want them sorted, each once`},
		{"hooks not sorted", Quarantine{Device: "d", Seconds: 1, Hooks: []string{"b", "a"}}, `want them sorted, each once`},
		{"release", Release{Device: "d"}, ""},
		{"release of nothing", Release{}, "device"},
		{"pin-role", PinRole{Device: "d", Role: "infusion-pump-lvp"}, ""},
		{"pin-role to nothing", PinRole{Device: "d"}, "role"},
		{"tag", Tag{Device: "d", Tags: []string{}}, ""},
		{"tag with capitals", Tag{Device: "d", Tags: []string{"A"}}, "tags"},
		{"break-glass", BreakGlass{Scope: ScopePort, Name: "eth1", Seconds: 1}, ""},
		{"break-glass of all", BreakGlass{Scope: ScopeGateway, Seconds: 86400}, ""},
		{"break-glass for ever", BreakGlass{Scope: ScopeGateway, Seconds: 86401}, "seconds 86401: want 1 to 86400"},
		{"break-glass of all, named", BreakGlass{Scope: ScopeGateway, Name: "x", Seconds: 1}, "name"},
		{"break-glass of no port", BreakGlass{Scope: ScopePort, Seconds: 1}, "name: want that of the port"},
		{"break-glass of the world", BreakGlass{Scope: "site", Seconds: 1}, `scope "site": want gateway, port, device or segment`},
		{"mode", Mode{Segment: "infusion", Mode: ModeEnforce}, ""},
		{"no mode", Mode{Segment: "infusion", Mode: "off"}, `mode "off": want observe, stage or enforce`},
		{"mode of nothing", Mode{Mode: ModeStage}, "segment"},
		{"explain device", Explain{Device: "d"}, ""},
		{"explain packet", Explain{In: "eth1", Dst: "10.0.0.1", Service: "tcp/443"}, ""},
		{"explain both", Explain{Device: "d", In: "eth1"}, "want a device or the fields of a packet"},
		{"explain nothing", Explain{}, "want a device or the fields of a packet"},
		{"explain with a bell", Explain{In: "\a"}, "printable"},
		{"diagnostics", Diagnostics{}, ""},
		{"reboot", Reboot{}, ""},
		{"reboot with a code", Reboot{Code: "2345-ACDE"}, ""},
		{"reboot with much", Reboot{Code: strings.Repeat("x", 33)}, "code"},
		{"policy", Policy{TOML: "version = 1\n"}, ""},
		{"no policy", Policy{}, "toml"},
		{"config", Config{TOML: "<&>\u2028"}, ""},
		{"quarantine set", QuarantineSet{Entries: []QuarantineEntry{{"a", "scans", "anna", "2026-12-01T00:00:00Z"}, {"b", "scans", "anna", "2026-12-01T00:00:00Z"}}}, ""},
		{"quarantine without end", QuarantineSet{Entries: []QuarantineEntry{{"a", "scans", "anna", ""}}}, `device a: until ""`},
		{"quarantine without owner", QuarantineSet{Entries: []QuarantineEntry{{"a", "scans", "", "2026-12-01T00:00:00Z"}}}, "device a: want a reason and an owner"},
		{"quarantine twice", QuarantineSet{Entries: []QuarantineEntry{{"a", "scans", "anna", "2026-12-01T00:00:00Z"}, {"a", "scans", "anna", "2026-12-02T00:00:00Z"}}}, "entries: device a: want them sorted, each once"},
		{"device set", DeviceSet{Entries: []DeviceEntry{{Device: "a", Role: "printer", Tags: []string{"x"}, ApprovedPairs: []string{"10.0.0.1", "fe80::1"}}}}, ""},
		{"device set, pairs not sorted", DeviceSet{Entries: []DeviceEntry{{Device: "a", ApprovedPairs: []string{"10.0.0.2", "10.0.0.1"}}}}, "device a: approved_pairs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Statement{V: 1, ID: "0000-0001", Site: "s", Target: []string{"gw1"}, Seq: 1, NotBefore: "2026-11-28T14:00:00Z", Expires: "2026-11-28T15:00:00Z", Root: 1, Reason: "r"}.EncodeArgs(c.args)
			if c.want != "" {
				if reason(err) != ReasonInvalidArgs || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := Sign(s, key("anna"))
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParseStatement(e.Payload)
			if diff := cmp.Diff(s, back); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := DecodeArgs[Release](statement(t, Ping{})); reason(err) != ReasonUnknownOp {
		t.Errorf("args of ping read as those of release: %v", err)
	}
}

func TestFor(t *testing.T) {
	for _, c := range []struct {
		target string
		site   string
		want   Reason
	}{
		{"all", "st-mary", ""},
		{"gw1", "st-mary", ""},
		{"grp/icu", "st-mary", ""},
		{"grp/er", "st-mary", ReasonWrongGateway},
		{"gw2", "st-mary", ReasonWrongGateway},
		{"icu", "st-mary", ReasonWrongGateway},
		{"grp/gw1", "st-mary", ReasonWrongGateway},
		{"grp/all", "st-mary", ReasonWrongGateway},
		{"gw1", "st-john", ReasonWrongSite},
		{"all", "st-john", ReasonWrongSite},
	} {
		s := Statement{Site: "st-mary", Target: []string{c.target}}
		if err := s.For(c.site, "gw1", "icu", "ward"); reason(err) != c.want {
			t.Errorf("target %s at %s: %v, want %q", c.target, c.site, err, c.want)
		}
	}
}
