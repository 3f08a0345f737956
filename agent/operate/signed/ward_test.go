package signed

import (
	"crypto/ed25519"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// key is the same for a name each time.
func key(name string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return ed25519.NewKeyFromSeed(seed)
}

func public(name string) ed25519.PublicKey { return key(name).Public().(ed25519.PublicKey) }

// hospital is who may sign what at st-mary. Anna has two keys.
//
//	anna, anna-2  root, policy, command
//	berta         root, policy
//	carl          command, config, quarantine, devices
//	dora          clinical-engineering
//	emil          clinical-engineering
func hospital() map[string][]Role {
	return map[string][]Role{
		"anna":   {RoleRoot, RolePolicy, RoleCommand},
		"anna-2": {RoleRoot, RolePolicy, RoleCommand},
		"berta":  {RoleRoot, RolePolicy},
		"carl":   {RoleCommand, RoleConfig, RoleQuarantine, RoleDevices},
		"dora":   {RoleClinical},
		"emil":   {RoleClinical},
	}
}

// rootArgs is a root of these keys, of which some roles take two.
func rootArgs(version int, keys map[string][]Role, two ...Role) RootArgs {
	a := RootArgs{V: 1, Version: version, Roles: make(map[Role]Quorum)}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		name, _, _ := strings.Cut(k, "-")
		id := KeyID(public(k))
		a.Keys = append(a.Keys, RootKey{KeyID: id, Public: public(k), Name: name})
		for _, r := range keys[k] {
			q := a.Roles[r]
			q.KeyIDs = append(q.KeyIDs, id)
			q.Threshold = 1
			if slices.Contains(two, r) {
				q.Threshold = 2
			}
			slices.Sort(q.KeyIDs)
			a.Roles[r] = q
		}
	}
	slices.SortFunc(a.Keys, func(x, y RootKey) int { return strings.Compare(x.KeyID, y.KeyID) })
	return a
}

// statement is a valid one with these args.
func statement(t testing.TB, a Args) Statement {
	t.Helper()
	s := Statement{V: 1, ID: "0000-0001", Site: "st-mary", Target: []string{"all"}, Seq: 1796000000000, NotBefore: "2026-11-28T14:00:00Z", Expires: "2026-11-28T15:00:00Z", Root: 1, Reason: "test"}
	if r, ok := a.(RootArgs); ok {
		s.Root = r.Version - 1
	}
	s, err := s.EncodeArgs(a)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, s Statement, names ...string) Envelope {
	t.Helper()
	var keys []ed25519.PrivateKey
	for _, n := range names {
		keys = append(keys, key(n))
	}
	e, err := Sign(s, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stMary is version 1 of the root of hospital: root and policy take two people.
func stMary(t testing.TB) *Root {
	t.Helper()
	text, err := sign(t, statement(t, rootArgs(1, hospital(), RoleRoot, RolePolicy)), "anna", "berta").Encode()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// reason is that of a refusal, "" without one.
func reason(err error) Reason {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	if err != nil {
		return Reason("no refusal: " + err.Error())
	}
	return ""
}
