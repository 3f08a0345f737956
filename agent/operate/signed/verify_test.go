package signed

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
		{"enforce by who commands", Mode{Segment: "x", Mode: ModeEnforce}, []string{"carl"}, ReasonWrongRole},
		{"enforce by the interlock's people", Mode{Segment: "x", Mode: ModeEnforce}, []string{"carl", "dora"}, ReasonWrongRole},
		{"enforce by one who makes policy", Mode{Segment: "x", Mode: ModeEnforce}, []string{"anna"}, ReasonThreshold},
		{"enforce by who make policy", Mode{Segment: "x", Mode: ModeEnforce}, []string{"anna", "berta"}, ""},
		{"a command, signed twice by the same", Ping{}, []string{"carl", "carl"}, ""},
		{"the same signer twice", Ping{}, []string{"berta", "berta"}, ReasonWrongRole},
		{"policy by the same signer twice", Policy{TOML: "x"}, []string{"anna", "anna"}, ReasonThreshold},
		{"a root, as if it were a statement", rootArgs(2, hospital()), []string{"anna", "berta"}, ReasonWrongType},
	} {
		t.Run(c.name, func(t *testing.T) {
			// as a hostile broker would, which need not mind Cosign's manners
			e := sign(t, statement(t, c.args))
			for _, n := range c.by {
				e.Signatures = append(e.Signatures, sign(t, statement(t, c.args), n).Signatures...)
			}
			text, err := e.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if e, err = Parse(text); err != nil {
				t.Fatal(err)
			}
			v, err := root.Verify(e)
			if reason(err) != c.want {
				t.Errorf("refused for %q (%v), want %q", reason(err), err, c.want)
			}
			for i, s := range v.Signers {
				if slices.ContainsFunc(v.Signers[:i], func(o Signer) bool { return o.KeyID == s.KeyID }) {
					t.Errorf("%s is told twice", s.Name)
				}
			}
		})
	}
}

// What was signed well and then tampered with, or for somebody else.
func TestVerifyTampered(t *testing.T) {
	root := stMary(t)
	s := statement(t, Policy{TOML: "x"})
	for _, c := range []struct {
		name   string
		change func(e *Envelope)
		want   Reason
	}{
		{"nothing", func(*Envelope) {}, ""},
		{"payload", func(e *Envelope) { e.Payload = []byte(strings.Replace(string(e.Payload), "all", "gw1", 1)) }, ReasonBadSignature},
		{"payload type", func(e *Envelope) { e.PayloadType = KindCommand.PayloadType() }, ReasonBadSignature},
		{"a bit of a signature", func(e *Envelope) {
			e.Signatures[1].Sig = slices.Clone(e.Signatures[1].Sig)
			e.Signatures[1].Sig[5] ^= 1
		}, ReasonBadSignature},
		{"signatures changed about", func(e *Envelope) {
			e.Signatures[0].Sig, e.Signatures[1].Sig = e.Signatures[1].Sig, e.Signatures[0].Sig
		}, ReasonBadSignature},
		{"a signature of anna's said to be carl's", func(e *Envelope) { e.Signatures[1] = Signature{KeyID(public("carl")), e.Signatures[0].Sig} }, ReasonBadSignature},
		{"one signature taken off", func(e *Envelope) { e.Signatures = e.Signatures[:1] }, ReasonThreshold},
		{"all signatures taken off", func(e *Envelope) { e.Signatures = nil }, ReasonUnsigned},
		{"signed as a command", func(e *Envelope) { *e = typed(t, s, KindCommand, "anna", "berta") }, ReasonWrongType},
		{"signed as a root", func(e *Envelope) { *e = typed(t, s, KindRoot, "anna", "berta") }, ReasonWrongType},
		{"another site", func(e *Envelope) { s := s; s.Site = "st-john"; *e = sign(t, s, "anna", "berta") }, ReasonWrongSite},
		{"another root", func(e *Envelope) { s := s; s.Root = 2; *e = sign(t, s, "anna", "berta") }, ReasonWrongRoot},
		{"signed, and not canonical", func(e *Envelope) { *e = raw(t, string(e.Payload)+"\n", "anna", "berta") }, ReasonNotCanonical},
		{"signed, and of two minds", func(e *Envelope) {
			*e = raw(t, strings.Replace(string(e.Payload), `"toml":"x"`, `"toml":"x","TOML":"y"`, 1), "anna", "berta")
		}, ReasonNotCanonical},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := sign(t, s, "anna", "berta")
			c.change(&e)
			if _, err := root.Verify(e); reason(err) != c.want {
				t.Errorf("refused for %q (%v), want %q", reason(err), err, c.want)
			}
		})
	}
	// a policy that says it is of another type does not become a root either
	if _, err := root.Next(sign(t, s, "anna", "berta")); reason(err) != ReasonWrongType {
		t.Errorf("a policy as a root: %v", err)
	}
	if _, err := root.Next(typed(t, s, KindRoot, "anna", "berta")); reason(err) != ReasonWrongType && reason(err) != ReasonUnknownOp {
		t.Errorf("a policy typed as a root: %v", err)
	}
}

// typed signs a statement under the payload type of another kind.
func typed(t *testing.T, s Statement, k Kind, by ...string) Envelope {
	t.Helper()
	e := sign(t, s)
	e.PayloadType = k.PayloadType()
	return cosigned(t, e, by...)
}

// raw signs bytes as a policy.
func raw(t *testing.T, payload string, by ...string) Envelope {
	t.Helper()
	return cosigned(t, Envelope{PayloadType: KindPolicy.PayloadType(), Payload: []byte(payload)}, by...)
}

func cosigned(t *testing.T, e Envelope, by ...string) Envelope {
	t.Helper()
	for _, n := range by {
		var err error
		if e, err = e.Cosign(key(n)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// Whom it takes to touch a life-sustaining device.
func TestInterlock(t *testing.T) {
	root := stMary(t)
	for _, c := range []struct {
		by   []string
		want bool
	}{
		{[]string{"carl"}, false},
		{[]string{"carl", "anna"}, false},
		{[]string{"anna", "anna-2"}, false},
		{[]string{"carl", "berta"}, false},
		{[]string{"carl", "dora"}, true},
		{[]string{"carl", "berta", "dora"}, true},
		{[]string{"carl", "mallory"}, false},
	} {
		v, err := root.Verify(sign(t, statement(t, Quarantine{Device: "d1", Seconds: 60}), c.by...))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Interlock(); got != c.want {
			t.Errorf("signed by %s: %v, want %v", c.by, got, c.want)
		}
	}
	// dora with a key of each role is still one person
	both, err := ParseRoot(forge(t, rootArgs(1, map[string][]Role{"dora": {RoleRoot, RoleClinical}, "dora-2": {RoleCommand}, "emil": {RoleClinical}}), "dora"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := both.Verify(sign(t, statement(t, Quarantine{Device: "d1", Seconds: 60}), "dora", "dora-2"))
	if err != nil || v.Interlock() {
		t.Errorf("one person with two keys: %v, %v", v.Interlock(), err)
	}
	if diff := cmp.Diff([]string{"dora"}, v.People(RoleClinical, RoleCommand)); diff != "" {
		t.Error(diff)
	}
}

// The interlock stands in for the role command, never for its number of people.
func TestThresholdOfCommands(t *testing.T) {
	keys := hospital()
	root, err := ParseRoot(forge(t, rootArgs(1, keys, RoleCommand), "anna"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args Args
		by   []string
		want Reason
	}{
		{Quarantine{Device: "d", Seconds: 1}, []string{"carl"}, ReasonThreshold},
		{Quarantine{Device: "d", Seconds: 1}, []string{"anna", "carl"}, ""},
		{Quarantine{Device: "d", Seconds: 1}, []string{"anna", "anna-2"}, ReasonThreshold},
		{Quarantine{Device: "d", Seconds: 1}, []string{"carl", "dora"}, ""},
		{Release{Device: "d"}, []string{"carl"}, ""},
		{BreakGlass{Scope: ScopeGateway, Seconds: 1}, []string{"carl"}, ""},
		{Mode{Segment: "x", Mode: ModeObserve}, []string{"carl"}, ""},
	} {
		if _, err := root.Verify(sign(t, statement(t, c.args), c.by...)); reason(err) != c.want {
			t.Errorf("%+v by %s: %v, want %q", c.args, c.by, err, c.want)
		}
	}
}

// Where commands take three people, the interlock's two are too few.
func TestThresholdOfInterlock(t *testing.T) {
	keys := hospital()
	keys["gina"] = []Role{RoleCommand}
	args := rootArgs(1, keys)
	args.Roles[RoleCommand] = Quorum{args.Roles[RoleCommand].KeyIDs, 3}
	root, err := ParseRoot(forge(t, args, "anna"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		by   []string
		want Reason
	}{
		{[]string{"carl", "dora"}, ReasonThreshold},
		{[]string{"carl", "gina"}, ReasonThreshold},
		{[]string{"carl", "gina", "dora"}, ""},
		{[]string{"carl", "gina", "anna"}, ""},
	} {
		if _, err := root.Verify(sign(t, statement(t, Quarantine{Device: "d", Seconds: 1}), c.by...)); reason(err) != c.want {
			t.Errorf("by %s: %v, want %q", c.by, err, c.want)
		}
	}
}

// One person may bring the policy back that was confirmed before.
func TestVerifyReturn(t *testing.T) {
	root := stMary(t)
	forward := statement(t, Policy{TOML: "x"})
	back := forward
	back.RollbackOf = back.Seq - 1
	config := statement(t, Config{TOML: "x"})
	config.RollbackOf = 1
	for _, c := range []struct {
		s    Statement
		by   []string
		want Reason
	}{
		{back, []string{"anna"}, ""},
		{back, []string{"dora"}, ""},
		{back, []string{"carl"}, ""},
		{back, []string{"berta"}, ""},
		{back, []string{"mallory"}, ReasonUnknownKey},
		{forward, []string{"anna"}, ReasonNotAllowed},
		{config, []string{"carl"}, ReasonNotAllowed},
	} {
		if _, err := root.VerifyReturn(sign(t, c.s, c.by...)); reason(err) != c.want {
			t.Errorf("%s by %s: %v, want %q", c.s.Kind, c.by, err, c.want)
		}
	}
	if _, err := root.Verify(sign(t, back, "anna")); reason(err) != ReasonThreshold {
		t.Errorf("Verify of a return: %v", err)
	}
}
