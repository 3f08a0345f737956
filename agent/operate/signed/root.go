package signed

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
)

// Role is what a person may sign.
type Role string

// Roles. A statement of state takes the role of its kind; see Root.Verify.
const (
	RoleRoot       Role = "root"
	RolePolicy     Role = "policy"
	RoleConfig     Role = "config"
	RoleDevices    Role = "devices"
	RoleQuarantine Role = "quarantine"
	RoleCommand    Role = "command"
	RoleClinical   Role = "clinical-engineering"
)

// Roles lists them all.
func Roles() []Role {
	return []Role{RoleRoot, RolePolicy, RoleConfig, RoleDevices, RoleQuarantine, RoleCommand, RoleClinical}
}

// Bounds of a root.
const maxKeys = 64

// RootArgs are the args of a statement of kind root: who may sign what.
type RootArgs struct {
	V       int             `json:"v"`       // 1
	Version int             `json:"version"` // one more than the root it is signed under
	Keys    []RootKey       `json:"keys"`    // sorted by key id
	Roles   map[Role]Quorum `json:"roles"`   // "root" at least
}

// RootKey is a key and whose it is.
type RootKey struct {
	KeyID  string            `json:"keyid"`
	Public ed25519.PublicKey `json:"public"` // base64 of its 32 bytes
	Name   string            `json:"name"`   // of the person: all keys of one name count as one
}

// Quorum is who has a role, and how many people it takes.
type Quorum struct {
	KeyIDs    []string `json:"keyids"` // sorted
	Threshold int      `json:"threshold"`
}

func (RootArgs) names() (Kind, string) { return KindRoot, "" }

func (a RootArgs) check() error {
	if a.V != 1 || a.Version < 1 {
		return fmt.Errorf("v %d, version %d: want v 1, a version from 1", a.V, a.Version)
	}
	if len(a.Keys) == 0 || len(a.Keys) > maxKeys {
		return fmt.Errorf("%d keys: want 1 to %d", len(a.Keys), maxKeys)
	}
	for i, k := range a.Keys {
		if len(k.Public) != ed25519.PublicKeySize || KeyID(k.Public) != k.KeyID {
			return fmt.Errorf("key %.80q: its id is not that of its public key", k.KeyID)
		}
		if !word.MatchString(k.Name) {
			return fmt.Errorf("key %s: name %.80q: want a person's, of a-z 0-9 . _ : -", k.KeyID, k.Name)
		}
		if i > 0 && a.Keys[i-1].KeyID >= k.KeyID {
			return fmt.Errorf("key %s: want keys sorted, each once", k.KeyID)
		}
	}
	if _, ok := a.Roles[RoleRoot]; !ok {
		return fmt.Errorf("role %q is missing: nobody could ever change this root", RoleRoot)
	}
	for r, q := range a.Roles {
		if !slices.Contains(Roles(), r) {
			return fmt.Errorf("role %.80q is not known", r)
		}
		people, err := a.people(q)
		if err != nil {
			return fmt.Errorf("role %s: %w", r, err)
		}
		if q.Threshold < 1 || q.Threshold > len(people) {
			return fmt.Errorf("role %s: threshold %d: want 1 to the %d people who have it", r, q.Threshold, len(people))
		}
	}
	return nil
}

// people are the names behind the keys of a quorum.
func (a RootArgs) people(q Quorum) (map[string]bool, error) {
	out := make(map[string]bool)
	for i, id := range q.KeyIDs {
		if i > 0 && q.KeyIDs[i-1] >= id {
			return nil, fmt.Errorf("key %.80q: want key ids sorted, each once", id)
		}
		n := slices.IndexFunc(a.Keys, func(k RootKey) bool { return k.KeyID == id })
		if n < 0 {
			return nil, fmt.Errorf("key %.80q is not among the keys", id)
		}
		out[a.Keys[n].Name] = true
	}
	return out, nil
}

// Root is a root of trust that verified. It does not change.
type Root struct {
	args    RootArgs
	site    string
	payload []byte
}

// ParseRoot reads the file of a root that is trusted for the way it came, as the
// one that a gateway is provisioned with. It must be signed under itself. That
// its time has run out does not matter here: a gateway never loses its root.
func ParseRoot(file []byte) (*Root, error) {
	e, err := Parse(file)
	if err != nil {
		return nil, err
	}
	return selfSigned(e)
}

func selfSigned(e Envelope) (*Root, error) {
	if e.PayloadType != KindRoot.PayloadType() {
		return nil, refuse(ReasonWrongType, "root: payload type %.80q: want %s", e.PayloadType, KindRoot.PayloadType())
	}
	s, err := ParseStatement(e.Payload)
	if err != nil {
		return nil, err
	}
	args, err := DecodeArgs[RootArgs](s)
	if err != nil {
		return nil, err
	}
	if s.Root != args.Version-1 {
		return nil, refuse(ReasonWrongRoot, "root version %d: says it is signed under version %d", args.Version, s.Root)
	}
	r := &Root{args: args, site: s.Site, payload: bytes.Clone(e.Payload)}
	signers, err := r.signers(e)
	if err != nil {
		return nil, err
	}
	if err := r.quorum(Verified{Statement: s, Signers: signers}, RoleRoot); err != nil {
		return nil, err
	}
	return r, nil
}

// Next reads the root that follows this one, signed by enough people of role
// root of both. The root that is in force already is returned as it is. A
// version that comes later is refused until those before it were taken.
func (r *Root) Next(e Envelope) (*Root, error) {
	signers, err := r.signers(e)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(e.Payload, r.payload) {
		return r, nil
	}
	next, err := selfSigned(e)
	if err != nil {
		return nil, err
	}
	switch {
	case next.site != r.site:
		return nil, refuse(ReasonWrongSite, "root version %d is of site %q, this is %q", next.Version(), next.site, r.site)
	case next.Version() <= r.Version():
		return nil, refuse(ReasonRollback, "root version %d: version %d is in force", next.Version(), r.Version())
	case next.Version() != r.Version()+1:
		return nil, refuse(ReasonWrongRoot, "root version %d: version %d must come first", next.Version(), r.Version()+1)
	}
	s, err := ParseStatement(e.Payload)
	if err != nil {
		return nil, err
	}
	if err := r.quorum(Verified{Statement: s, Signers: signers}, RoleRoot); err != nil {
		return nil, err
	}
	return next, nil
}

// Version counts the roots of a site.
func (r *Root) Version() int { return r.args.Version }

// Site is whose root it is.
func (r *Root) Site() string { return r.site }

// Threshold is how many people a role takes; 0 where nobody has it.
func (r *Root) Threshold(role Role) int { return r.args.Roles[role].Threshold }

// Args is a copy of what the root says.
func (r *Root) Args() RootArgs {
	a := r.args
	a.Keys = slices.Clone(a.Keys)
	for i, k := range a.Keys {
		a.Keys[i].Public = slices.Clone(k.Public)
	}
	a.Roles = make(map[Role]Quorum, len(r.args.Roles))
	for role, q := range r.args.Roles {
		q.KeyIDs = slices.Clone(q.KeyIDs)
		a.Roles[role] = q
	}
	return a
}

// signers are who signed. Signatures of keys that the root does not know do not
// count; one that is false, of a key that it knows, spoils the envelope.
func (r *Root) signers(e Envelope) ([]Signer, error) {
	if len(e.Signatures) == 0 {
		return nil, refuse(ReasonUnsigned, "nobody has signed")
	}
	var out []Signer
	signed := e.pae()
	for _, s := range e.Signatures {
		n := slices.IndexFunc(r.args.Keys, func(k RootKey) bool { return k.KeyID == s.KeyID })
		if n < 0 {
			continue
		}
		k := r.args.Keys[n]
		if !ed25519.Verify(k.Public, signed, s.Sig) {
			return nil, refuse(ReasonBadSignature, "the signature of %s, key %s, is not of this", k.Name, k.KeyID)
		}
		if slices.ContainsFunc(out, func(o Signer) bool { return o.KeyID == k.KeyID }) {
			continue
		}
		signer := Signer{Name: k.Name, KeyID: k.KeyID}
		for _, role := range Roles() {
			if slices.Contains(r.args.Roles[role].KeyIDs, k.KeyID) {
				signer.Roles = append(signer.Roles, role)
			}
		}
		out = append(out, signer)
	}
	if len(out) == 0 {
		return nil, refuse(ReasonUnknownKey, "key %s is not in root version %d", e.Signatures[0].KeyID, r.Version())
	}
	return out, nil
}

// quorum refuses what too few people with the role have signed.
func (r *Root) quorum(v Verified, role Role) error {
	people, want := v.People(role), r.Threshold(role)
	switch {
	case len(people) == 0:
		return refuse(ReasonWrongRole, "statement %s: no signer has role %s", v.Statement.ID, role)
	case len(people) < want:
		return refuse(ReasonThreshold, "statement %s: signed by %s: role %s takes %d people", v.Statement.ID, strings.Join(people, ", "), role, want)
	}
	return nil
}
