package rules

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// check refuses a signature that cannot do what it says, and prepares the rest
// for matching.
func (s *Set) check(sig *Signature) error {
	for _, other := range s.Signatures {
		if other.ID == sig.ID {
			return fmt.Errorf("the id stands in %s already", other.File)
		}
	}
	switch {
	case !isID(sig.ID):
		return errors.New("the id must be lower-case words joined by dots and hyphens")
	case sig.Source == "":
		return errors.New("no source says where it is known from")
	case sig.Basis == 0:
		return errors.New("no basis says what the source rests on: hint, document or wire")
	case len(sig.Roles) == 0 && !sig.States():
		return errors.New("it gives neither a role nor an attribute")
	}
	for _, err := range []error{s.checkKinds(sig), sig.checkMatcher(), s.checkRoles(sig), s.checkAttributes(sig), s.checkExamples(sig)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) checkKinds(sig *Signature) error {
	if len(sig.Kinds) == 0 {
		return errors.New("no kinds")
	}
	for _, k := range sig.Kinds {
		if !KnownKind(k) {
			return fmt.Errorf("unknown kind %q", k)
		}
	}
	return nil
}

// anchored is a regular expression which says where it begins.
var anchored = regexp.MustCompile(`^(\(\?[a-z]+\))?(\^|\(\^\||\(\?:\^\|)`)

// checkMatcher compiles the one way to match.
func (sig *Signature) checkMatcher() error {
	ways := 0
	for _, list := range [][]string{sig.Equals, sig.Prefix, sig.Suffix, sig.Contains} {
		if len(list) > 0 {
			ways++
		}
		for i, v := range list {
			if v == "" {
				return errors.New("an empty text matches everything")
			}
			list[i] = strings.ToLower(v)
		}
	}
	if sig.Match != "" {
		ways++
		if !anchored.MatchString(sig.Match) {
			return errors.New("match must be anchored: begin with ^ or (^|")
		}
		var err error
		if sig.re, err = regexp.Compile(sig.Match); err != nil {
			return fmt.Errorf("match: %w", err)
		}
	}
	if ways != 1 {
		return fmt.Errorf("%d ways to match, want one of equals, prefix, suffix, contains, match", ways)
	}
	return nil
}

func (s *Set) checkRoles(sig *Signature) error {
	if len(sig.Roles) == 0 {
		return nil
	}
	if sig.Evidence == 0 {
		return errors.New("roles without evidence")
	}
	for role, w := range sig.Roles {
		if _, ok := s.Roles.Get(role); !ok || role == device.RoleUnknown {
			return fmt.Errorf("unknown role %q", role)
		}
		if w == 0 || w < MostAgainst || w > sig.Evidence.Most() {
			return fmt.Errorf("weight %v for %s: evidence %s goes from %d to %v, without 0", w, role, sig.Evidence, MostAgainst, sig.Evidence.Most())
		}
		if sig.Basis == Hint && w > MostHint {
			return fmt.Errorf("weight %v for %s: a hint weighs %d at most", w, role, MostHint)
		}
	}
	return nil
}

// group finds the references of a template.
var group = regexp.MustCompile(`\$\{?([0-9A-Za-z_]+)\}?`)

func (s *Set) checkAttributes(sig *Signature) error {
	for _, t := range []string{sig.Vendor, sig.Model, sig.Version, sig.Serial} {
		for _, m := range group.FindAllStringSubmatch(t, -1) {
			if n, err := strconv.Atoi(m[1]); err == nil && (n == 0 || sig.re != nil && n <= sig.re.NumSubexp()) {
				continue
			}
			if sig.re == nil || sig.re.SubexpIndex(m[1]) < 0 {
				return fmt.Errorf("template %q: no group %q in match", t, m[1])
			}
		}
	}
	if sig.Vendor != "" && !strings.Contains(sig.Vendor, "$") {
		if v, ok := s.Vendors.ByName(sig.Vendor); !ok || v.Name != sig.Vendor {
			return fmt.Errorf("vendor %q is not in the vocabulary", sig.Vendor)
		}
	}
	switch {
	case sig.Basis == Hint && sig.Confidence > device.Candidate:
		return fmt.Errorf("confidence %s: what a hint states is a candidate", sig.Confidence)
	case sig.Confidence != 0 || !sig.States():
	case sig.Basis == Hint:
		sig.Confidence = device.Candidate
	default:
		sig.Confidence = device.Likely
	}
	return nil
}

// checkExamples wants at least one, with a fact that the signature matches;
// what it leads to is replayed by the test of package classify.
func (s *Set) checkExamples(sig *Signature) error {
	if len(sig.Examples) == 0 {
		return errors.New("no example")
	}
	derived := slices.ContainsFunc(sig.Kinds, Derived) // what they are concluded from is not known here
	for i, ex := range sig.Examples {
		hit := derived
		for _, f := range ex.Facts {
			if !KnownKind(f.Kind) {
				return fmt.Errorf("example %d: unknown kind %q", i+1, f.Kind)
			}
			for _, k := range sig.Kinds {
				hit = hit || k == f.Kind && sig.Matches(f.Value)
			}
		}
		if !hit {
			return fmt.Errorf("example %d: none of its facts matches the signature", i+1)
		}
		if _, ok := s.Roles.Get(ex.Want.Role); ex.Want.Role != "" && !ok {
			return fmt.Errorf("example %d: unknown role %q", i+1, ex.Want.Role)
		}
	}
	return nil
}

// Matches reports whether a value of one of the signature's kinds matches.
func (sig *Signature) Matches(value string) bool {
	low := strings.ToLower(value)
	for _, v := range sig.Equals {
		if v == low {
			return true
		}
	}
	return sig.matches(value, low)
}

// isID reports lower-case words joined by dots and hyphens.
func isID(s string) bool {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '-' }) {
		if strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return s != "" && !strings.ContainsAny(s[:1]+s[len(s)-1:], ".-") && !strings.Contains(s, "..") && !strings.Contains(s, "--")
}

// lineOf finds the line on which key is set to value, from 1; 1 if nowhere.
func lineOf(data []byte, key, value string) int {
	for i, l := range bytes.Split(data, []byte("\n")) {
		k, v, ok := strings.Cut(string(l), "=")
		if ok && strings.TrimSpace(k) == key && strings.Trim(strings.TrimSpace(v), `"'`) == value {
			return i + 1
		}
	}
	return 1
}
