package signed

import "slices"

// Verified is a statement with those who signed it.
type Verified struct {
	Statement Statement
	Signers   []Signer
}

// Signer is one key that signed.
type Signer struct {
	Name  string // of the person
	KeyID string
	Roles []Role // of the key
}

// People are the names of those who signed with a key of one of the roles,
// sorted, each once.
func (v Verified) People(roles ...Role) []string {
	var out []string
	for _, s := range v.Signers {
		if slices.ContainsFunc(s.Roles, func(r Role) bool { return slices.Contains(roles, r) }) {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Interlock reports whether those signed whom it takes to touch a
// life-sustaining device: two people who give commands or are clinical
// engineers, one of them a clinical engineer at least. The device by name, the
// reason and the code of the console are the caller's to judge.
func (v Verified) Interlock() bool {
	return len(v.People(RoleClinical)) >= 1 && len(v.People(RoleCommand, RoleClinical)) >= 2
}

// Verify says what a statement is worth under this root: enough people signed
// it, for this site and this version of the root. State takes the role of its
// kind, a command the role command, where clinical engineers count as well once
// the interlock's people signed. The mode that drops packets takes who may sign a
// policy: it closes as one does. What opens (break-glass, release, a mode that
// drops nothing) takes one person of either of the two roles. A root is not
// verified here, see Next.
//
// Its target, its time and whether it came before are the caller's to judge.
func (r *Root) Verify(e Envelope) (Verified, error) {
	v, err := r.read(e)
	if err != nil {
		return Verified{}, err
	}
	s := v.Statement
	switch {
	case s.Kind == KindRoot:
		return Verified{}, refuse(ReasonWrongType, "statement %s is a root, which is taken as the next one only", s.ID)
	case s.Kind != KindCommand:
		err = r.quorum(v, Role(s.Kind))
	case opens(s):
		err = oneOf(v, RoleCommand, RoleClinical)
	case s.Op == "mode": // it closes
		err = r.quorum(v, RolePolicy)
	case v.Interlock() && len(v.People(RoleCommand, RoleClinical)) >= r.Threshold(RoleCommand):
	default:
		err = r.quorum(v, RoleCommand)
	}
	if err != nil {
		return Verified{}, err
	}
	return v, nil
}

// VerifyReturn says whether a policy may take another's place back with one
// signer, of role policy, command or clinical-engineering. The caller must see
// to it that it is the policy that was confirmed last: any other takes Verify.
func (r *Root) VerifyReturn(e Envelope) (Verified, error) {
	v, err := r.read(e)
	if err != nil {
		return Verified{}, err
	}
	if s := v.Statement; s.Kind != KindPolicy || s.RollbackOf == 0 {
		return Verified{}, refuse(ReasonNotAllowed, "statement %s is no return to an older policy", s.ID)
	}
	if err := oneOf(v, RolePolicy, RoleCommand, RoleClinical); err != nil {
		return Verified{}, err
	}
	return v, nil
}

// read believes the signatures first and reads the payload then.
func (r *Root) read(e Envelope) (Verified, error) {
	signers, err := r.signers(e)
	if err != nil {
		return Verified{}, err
	}
	s, err := ParseStatement(e.Payload)
	if err != nil {
		return Verified{}, err
	}
	switch {
	case e.PayloadType != s.Kind.PayloadType():
		return Verified{}, refuse(ReasonWrongType, "statement %s: payload type %.80q: want %s", s.ID, e.PayloadType, s.Kind.PayloadType())
	case s.Site != r.site:
		return Verified{}, refuse(ReasonWrongSite, "statement %s is for site %q, this is %q", s.ID, s.Site, r.site)
	case s.Kind != KindRoot && s.Root != r.Version():
		return Verified{}, refuse(ReasonWrongRoot, "statement %s is signed under root version %d, version %d is in force", s.ID, s.Root, r.Version())
	}
	return Verified{Statement: s, Signers: signers}, nil
}

// opens reports a command that can only let more through, whatever is in force.
func opens(s Statement) bool {
	switch s.Op {
	case "break-glass", "release":
		return true
	case "mode":
		m, err := DecodeArgs[Mode](s)
		return err == nil && m.Mode != ModeEnforce
	}
	return false
}

func oneOf(v Verified, roles ...Role) error {
	if len(v.People(roles...)) == 0 {
		return refuse(ReasonWrongRole, "statement %s: no signer has one of the roles %s", v.Statement.ID, roles)
	}
	return nil
}
