package desired

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// files keep two versions of each key.
type files struct {
	by     map[string][][]byte
	broken error
}

func (f *files) All(key string) ([][]byte, error) { return f.by[key], f.broken }

func (f *files) Put(key string, value []byte) error {
	if f.broken != nil {
		return f.broken
	}
	have := append([][]byte{value}, f.by[key]...)
	f.by[key] = have[:min(2, len(have))]
	return nil
}

func policy(t *testing.T, seq uint64, target string) Accepted {
	t.Helper()
	st, err := signed.Statement{V: 1, ID: fmt.Sprintf("policy-%04d", seq), Site: "s", Target: []string{target}, Seq: seq, NotBefore: "2026-01-01T00:00:00Z",
		Expires: "2027-01-01T00:00:00Z", Root: 1, Reason: "r"}.EncodeArgs(signed.Policy{TOML: fmt.Sprint(seq)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := signed.Sign(st, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAccepted(e, []string{"alice"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ids are what holds, and what is unsettled.
func ids(s *Shelf) string {
	out := "holds"
	for _, a := range s.Applied(signed.KindPolicy) {
		out += " " + a.Statement.ID
	}
	for _, a := range s.Unsettled(signed.KindPolicy) {
		out += " unsettled " + a.Statement.ID
	}
	return out
}

// What is on the shelf is there after every start, and what fails leaves what was.
func TestShelf(t *testing.T) {
	f := &files{by: make(map[string][][]byte)}
	open := func() *Shelf {
		s, err := Open(f)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	s := open()
	say := func(what string) {
		got = append(got, what+": "+ids(s))
		if again := open(); ids(again) != ids(s) {
			t.Errorf("%s: after a start %s", what, ids(again))
		}
	}
	one, two, three, wide := policy(t, 1, "gw"), policy(t, 2, "gw"), policy(t, 3, "gw"), policy(t, 9, "all")
	good, bad := Outcome{State: "succeeded"}, Outcome{State: "failed", Text: "no"}
	must(s.Accept(one, []string{"gw"}))
	say("accepted")
	must(s.Settle(one, true, good))
	say("holds")
	must(s.Accept(two, []string{"gw"}))
	say("a second")
	must(s.Settle(two, false, bad))
	say("it fails")
	if o, ok := s.Seen(signed.KindPolicy, two.payload); !ok || o != bad {
		t.Errorf("the one that failed: %v, %v", o, ok)
	}
	must(s.Accept(three, []string{"gw"}))
	must(s.Settle(three, true, good))
	say("a third")
	must(s.Settle(one, true, good)) // it is long past
	say("late news of the first")
	must(s.Accept(wide, []string{"all"}))
	must(s.Settle(wide, true, good))
	say("another scope")
	if cur, ok := s.Current(signed.KindPolicy); !ok || cur.Statement.ID != "policy-0009" {
		t.Errorf("current is %s", cur.Statement.ID)
	}
	back := policy(t, 10, "gw").Statement
	back.RollbackOf, back.Args = 1, one.Statement.Args
	if s.Returns(back, []string{"gw"}) {
		t.Error("back from the policy of another scope")
	}
	f.broken = errors.New("no space")
	four := policy(t, 11, "gw")
	if err := s.Accept(four, []string{"gw"}); err == nil || err.Error() != "keep the desired policy: no space" {
		t.Errorf("a full disk: %v", err)
	}
	f.broken = nil
	say("a full disk")
	want := []string{"accepted: holds unsettled policy-0001", "holds: holds policy-0001", "a second: holds policy-0001 unsettled policy-0002", "it fails: holds policy-0001",
		"a third: holds policy-0003", "late news of the first: holds policy-0003", "another scope: holds policy-0003 policy-0009", "a full disk: holds policy-0003 policy-0009"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of a damaged file the predecessor counts, and what is wrong is said.
func TestDamagedFiles(t *testing.T) {
	f := &files{by: make(map[string][][]byte)}
	s, _ := Open(f)
	one := policy(t, 1, "gw")
	if err := errors.Join(s.Accept(one, []string{"gw"}), s.Settle(one, true, Outcome{State: "succeeded"})); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "null ", "{", `{"gw":{"applied":{"envelope":"e30="}}}`} {
		f.by["desired-policy"] = [][]byte{[]byte(damage), f.by["desired-policy"][len(f.by["desired-policy"])-1]}
		s, err := Open(f)
		if damage == "null " { // nothing was ever accepted
			continue
		}
		if got := ids(s); err == nil || got != "holds unsettled policy-0001" && got != "holds policy-0001" {
			t.Errorf("%q: %s, %v", damage, got, err)
		}
	}
	f.by[trialKey] = [][]byte{[]byte("{"), []byte(`{"state":"trying","old":"a","new":"b","boot_id":"x","ends":1}`)}
	tr, err := LoadTrial(f)
	if tr.State != Trying || err == nil {
		t.Errorf("%+v, %v", tr, err)
	}
	if toml, err := ConfigAtStart(f, clock.Stamp{BootID: "x", Mono: 1}); toml != "a" || err == nil {
		t.Errorf("the one to start with is %q, %v", toml, err)
	}
	if tr, err := LoadTrial(f); tr.State != Reverting || err != nil {
		t.Errorf("then %+v, %v", tr, err)
	}
	f.broken = errors.New("no disk")
	if toml, err := ConfigAtStart(&files{broken: f.broken}, clock.Stamp{}); toml != "" || err == nil {
		t.Errorf("without a disk %q, %v", toml, err)
	}
}

func TestScopes(t *testing.T) {
	for _, tt := range []struct{ target, want []string }{
		{[]string{"all"}, []string{"all"}},
		{[]string{"grp/er", "grp/icu", "gw", "gw-2"}, []string{"grp/icu", "gw"}},
		{[]string{"gw-2", "icu"}, nil},
	} {
		if diff := cmp.Diff(tt.want, Scopes(signed.Statement{Target: tt.target}, "gw", []string{"icu"})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.target, diff)
		}
	}
}
