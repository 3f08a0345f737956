package signed

import "testing"

// Whose signatures are good for what.
func TestVerify(t *testing.T) {
	root := stMary(t)
	for _, c := range []struct {
		name string
		args Args
		by   []string
		want Reason
	}{
		{"a command, by who may", Ping{}, []string{"carl"}, ""},
		{"unsigned", Ping{}, nil, ReasonUnsigned},
		{"unknown key", Ping{}, []string{"mallory"}, ReasonUnknownKey},
		{"an unknown key beside a good one does not count", Ping{}, []string{"mallory", "carl"}, ""},
		{"a command by who makes policy", Ping{}, []string{"berta"}, ReasonWrongRole},
		{"a command by a clinical engineer alone", Quarantine{Device: "d1", Seconds: 60}, []string{"dora"}, ReasonWrongRole},
		{"a command by the interlock's people", Quarantine{Device: "d1", Seconds: 60}, []string{"dora", "emil"}, ""},
		{"policy by two people", Policy{TOML: "x"}, []string{"anna", "berta"}, ""},
		{"policy by one", Policy{TOML: "x"}, []string{"anna"}, ReasonThreshold},
		{"policy by one with two keys", Policy{TOML: "x"}, []string{"anna", "anna-2"}, ReasonThreshold},
		{"policy by one of two and another role", Policy{TOML: "x"}, []string{"anna", "carl"}, ReasonThreshold},
		{"config by who makes policy", Config{TOML: "x"}, []string{"anna", "berta"}, ReasonWrongRole},
		{"config", Config{TOML: "x"}, []string{"carl"}, ""},
		{"quarantine set", QuarantineSet{Entries: []QuarantineEntry{}}, []string{"carl"}, ""},
		{"device set", DeviceSet{Entries: []DeviceEntry{}}, []string{"carl"}, ""},
		{"release by a clinical engineer", Release{Device: "d1"}, []string{"dora"}, ""},
		{"break-glass by a clinical engineer", BreakGlass{Scope: ScopeGateway, Seconds: 60}, []string{"dora"}, ""},
		{"release by who makes policy", Release{Device: "d1"}, []string{"berta"}, ReasonWrongRole},
		{"a mode that drops nothing, by a clinical engineer", Mode{Segment: "x", Mode: ModeStage}, []string{"dora"}, ""},
		{"enforce by a clinical engineer", Mode{Segment: "x", Mode: ModeEnforce}, []string{"dora"}, ReasonWrongRole},
		{"a root, as if it were a statement", rootArgs(2, hospital()), []string{"anna", "berta"}, ReasonWrongType},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := sign(t, statement(t, c.args), c.by...).Encode()
			if err != nil {
				t.Fatal(err)
			}
			e, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := root.Verify(e); reason(err) != c.want {
				t.Errorf("refused for %q (%v), want %q", reason(err), err, c.want)
			}
		})
	}
}
