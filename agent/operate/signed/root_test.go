package signed

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// What a root must be to be one.
func TestParseRoot(t *testing.T) {
	with := func(change func(*RootArgs)) RootArgs {
		a := rootArgs(1, hospital(), RoleRoot)
		change(&a)
		return a
	}
	for _, c := range []struct {
		name string
		args RootArgs
		by   []string
		want Reason
		text string
	}{
		{"good", rootArgs(1, hospital(), RoleRoot), []string{"anna", "berta"}, "", ""},
		{"one of two people", rootArgs(1, hospital(), RoleRoot), []string{"anna"}, ReasonThreshold, "signed by anna: role root takes 2 people"},
		{"one person with two keys", rootArgs(1, hospital(), RoleRoot), []string{"anna", "anna-2"}, ReasonThreshold, ""},
		{"nobody", rootArgs(1, hospital()), nil, ReasonUnsigned, ""},
		{"a stranger", rootArgs(1, hospital()), []string{"mallory"}, ReasonUnknownKey, ""},
		{"another role", rootArgs(1, hospital()), []string{"carl"}, ReasonWrongRole, ""},
		{"no keys", with(func(a *RootArgs) { a.Keys = nil }), []string{"anna"}, ReasonInvalidArgs, "0 keys"},
		{"no root role", with(func(a *RootArgs) { delete(a.Roles, RoleRoot) }), []string{"anna"}, ReasonInvalidArgs, "nobody could ever change this root"},
		{"a role that is not known", with(func(a *RootArgs) { a.Roles["god"] = a.Roles[RoleRoot] }), []string{"anna"}, ReasonInvalidArgs, `role "god" is not known`},
		{"threshold 0", with(func(a *RootArgs) { a.Roles[RoleCommand] = Quorum{a.Roles[RoleCommand].KeyIDs, 0} }), []string{"anna"}, ReasonInvalidArgs, "threshold 0"},
		{"more people than there are", with(func(a *RootArgs) { a.Roles[RoleRoot] = Quorum{a.Roles[RoleRoot].KeyIDs, 3} }), []string{"anna"}, ReasonInvalidArgs, "threshold 3: want 1 to the 2 people who have it"},
		{"a key id of another key", with(func(a *RootArgs) { a.Keys[0].Public = a.Keys[1].Public }), []string{"anna"}, ReasonInvalidArgs, "its id is not that of its public key"},
		{"a short key", with(func(a *RootArgs) { a.Keys[0].Public = a.Keys[0].Public[:31] }), []string{"anna"}, ReasonInvalidArgs, "its id is not that of its public key"},
		{"a key twice", with(func(a *RootArgs) { a.Keys = append(a.Keys[:1:1], a.Keys...) }), []string{"anna"}, ReasonInvalidArgs, "want keys sorted, each once"},
		{"a name in capitals", with(func(a *RootArgs) { a.Keys[0].Name = "Anna" }), []string{"anna"}, ReasonInvalidArgs, `name "Anna"`},
		{"no name", with(func(a *RootArgs) { a.Keys[0].Name = "" }), []string{"anna"}, ReasonInvalidArgs, `name ""`},
		{"a key that is not listed", with(func(a *RootArgs) {
			a.Roles[RoleConfig] = Quorum{[]string{KeyID(public("mallory"))}, 1}
		}), []string{"anna"}, ReasonInvalidArgs, "is not among the keys"},
		{"a key twice in a role", with(func(a *RootArgs) {
			k := a.Roles[RoleCommand].KeyIDs
			a.Roles[RoleCommand] = Quorum{append(k[:1:1], k...), 1}
		}), []string{"anna"}, ReasonInvalidArgs, "want key ids sorted, each once"},
		{"version 0", with(func(a *RootArgs) { a.Version = 0 }), []string{"anna"}, ReasonMalformed, ""},
		{"another format", with(func(a *RootArgs) { a.V = 2 }), []string{"anna"}, ReasonInvalidArgs, "v 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseRoot(forge(t, c.args, c.by...))
			if reason(err) != c.want || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want %q %s", err, c.want, c.text)
			}
		})
	}
}

// forge signs a root without asking whether it is one.
func forge(t *testing.T, a RootArgs, by ...string) []byte {
	t.Helper()
	args, err := encode(a)
	if err != nil {
		t.Fatal(err)
	}
	s := statement(t, Ping{})
	s.Kind, s.Op, s.Root, s.Args = KindRoot, "", a.Version-1, args
	payload, err := encode(s)
	if err != nil {
		t.Fatal(err)
	}
	e := Envelope{PayloadType: KindRoot.PayloadType(), Payload: payload}
	for _, n := range by {
		if e, err = e.Cosign(key(n)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The root changes hands one version after the other, with enough people of
// the old one and of the new one.
func TestNext(t *testing.T) {
	first := stMary(t)
	// berta leaves, fred comes; of the new root two of anna, fred and gina sign
	heirs := func(version int) RootArgs {
		keys := maps.Clone(hospital())
		delete(keys, "berta")
		keys["fred"], keys["gina"] = []Role{RoleRoot, RolePolicy}, []Role{RoleRoot}
		return rootArgs(version, keys, RoleRoot, RolePolicy)
	}
	for _, c := range []struct {
		name   string
		args   RootArgs
		change func(*Statement)
		by     []string
		want   Reason
	}{
		{"enough of both", heirs(2), nil, []string{"anna", "berta", "fred"}, ""},
		{"enough of the old only", heirs(2), nil, []string{"anna", "berta"}, ReasonThreshold},
		{"enough of the new only", heirs(2), nil, []string{"anna", "fred"}, ReasonThreshold},
		{"enough of the new, nobody of the old", heirs(2), nil, []string{"fred", "gina"}, ReasonUnknownKey},
		{"enough of the old, nobody of the new", rootArgs(2, map[string][]Role{"fred": {RoleRoot}, "gina": {RoleRoot}}, RoleRoot), nil, []string{"anna", "berta"}, ReasonUnknownKey},
		{"one person with two keys", heirs(2), nil, []string{"anna", "anna-2", "fred"}, ReasonThreshold},
		{"another role of the old", heirs(2), nil, []string{"carl", "fred", "gina"}, ReasonWrongRole},
		{"unsigned", heirs(2), nil, nil, ReasonUnsigned},
		{"one version left out", heirs(3), nil, []string{"anna", "berta", "fred"}, ReasonWrongRoot},
		{"the same version with other keys", heirs(1), nil, []string{"anna", "berta", "fred"}, ReasonRollback},
		{"says another version to be signed under", heirs(2), func(s *Statement) { s.Root = 5 }, []string{"anna", "berta", "fred"}, ReasonWrongRoot},
		{"of another site", heirs(2), func(s *Statement) { s.Site = "st-john" }, []string{"anna", "berta", "fred"}, ReasonWrongSite},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := statement(t, c.args)
			if c.change != nil {
				c.change(&s)
			}
			next, err := first.Next(sign(t, s, c.by...))
			if reason(err) != c.want {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if (next == nil) != (err != nil) {
				t.Errorf("root %v with error %v", next, err)
			}
		})
	}

	second, err := first.Next(sign(t, statement(t, heirs(2)), "anna", "berta", "fred"))
	if err != nil {
		t.Fatal(err)
	}
	if same, err := second.Next(sign(t, statement(t, heirs(2)), "fred", "gina")); same != second || err != nil {
		t.Errorf("the root that is in force, sent again by others: %v, %v", same, err)
	}
	if _, err := second.Next(sign(t, statement(t, rootArgs(1, hospital(), RoleRoot, RolePolicy)), "anna", "berta")); reason(err) != ReasonRollback {
		t.Errorf("back to version 1: %v", err)
	}
	if third, err := second.Next(sign(t, statement(t, heirs(3)), "fred", "gina")); err != nil || third.Version() != 3 {
		t.Errorf("version 3 by those whom version 2 brought: %v", err)
	}
	// statements are of one version
	if _, err := second.Verify(sign(t, statement(t, Ping{}), "carl")); reason(err) != ReasonWrongRoot {
		t.Errorf("signed under version 1: %v", err)
	}
	s := statement(t, Policy{TOML: "x"})
	s.Root = 2
	if _, err := second.Verify(sign(t, s, "anna", "berta")); reason(err) != ReasonThreshold {
		t.Errorf("policy by one who left: %v", err)
	}
	if _, err := second.Verify(sign(t, s, "anna", "fred")); err != nil {
		t.Errorf("policy by one who came: %v", err)
	}
}

// A caller cannot change a root by what it is shown of it.
func TestRootDoesNotChange(t *testing.T) {
	r := stMary(t)
	a := r.Args()
	a.Roles[RoleCommand] = Quorum{Threshold: 9}
	a.Keys[0].Name = "mallory"
	a.Roles[RolePolicy].KeyIDs[0] = KeyID(public("mallory"))
	if r.Threshold(RoleCommand) != 1 || r.Args().Keys[0].Name == "mallory" || slices.Contains(r.Args().Roles[RolePolicy].KeyIDs, KeyID(public("mallory"))) {
		t.Error("it did")
	}
	if got := r.Threshold("god"); got != 0 {
		t.Errorf("threshold %d of a role that nobody has", got)
	}
	a.Keys[0].Public[0]++
	if k := r.Args().Keys[0]; KeyID(k.Public) != k.KeyID {
		t.Error("a public key was changed")
	}
}
