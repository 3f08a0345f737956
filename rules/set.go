package rules

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/strict"
)

//go:embed roles.toml vendors.toml fingerprints/*.toml
var content embed.FS

// Set is one consistent body of rules. It is immutable.
type Set struct {
	Roles      Roles
	Vendors    Vendors
	Signatures []*Signature // sorted by id; not to be changed

	byKind map[fact.Kind]kindIndex
}

// Embedded loads the rules that the binary carries.
func Embedded() (*Set, error) { return Load(content) }

// Load reads roles.toml and fingerprints/*.toml from a folder, and vendors.toml
// where it is there: without it the binary's own vocabulary serves.
func Load(fsys fs.FS) (*Set, error) {
	var s Set
	var err error
	if s.Roles, err = LoadRoles(fsys); err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(fsys, "vendors.toml")
	if errors.Is(err, fs.ErrNotExist) {
		data, err = content.ReadFile("vendors.toml")
	}
	if err != nil {
		return nil, fmt.Errorf("read vendors: %w", err)
	}
	if s.Vendors, err = parseVendors("vendors.toml", data); err != nil {
		return nil, err
	}
	files, err := fs.Glob(fsys, "fingerprints/*.toml")
	if err != nil {
		return nil, fmt.Errorf("list fingerprints: %w", err)
	}
	if len(files) == 0 {
		return nil, errors.New("read fingerprints: the folder fingerprints holds no .toml file")
	}
	for _, f := range files {
		data, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, fmt.Errorf("read fingerprints: %w", err)
		}
		if err := s.add(f, data); err != nil {
			return nil, err
		}
	}
	s.index()
	return &s, nil
}

// EmbeddedRoles loads the roles alone, all that a policy needs of the rules.
func EmbeddedRoles() (Roles, error) { return LoadRoles(content) }

// LoadRoles reads roles.toml alone, in a small part of the time of Load.
func LoadRoles(fsys fs.FS) (Roles, error) {
	data, err := fs.ReadFile(fsys, "roles.toml")
	if err != nil {
		return Roles{}, fmt.Errorf("read roles: %w", err)
	}
	return parseRoles("roles.toml", data)
}

// add parses one file of signatures.
func (s *Set) add(file string, data []byte) error {
	var raw struct {
		Basis     Basis        `toml:"basis"`
		Signature []*Signature `toml:"signature"`
	}
	if err := strict.Decode(file, data, &raw); err != nil {
		return err
	}
	for _, sig := range raw.Signature {
		sig.File = path.Base(file)
		if sig.Basis == 0 {
			sig.Basis = raw.Basis
		}
		if err := s.check(sig); err != nil {
			return fmt.Errorf("%s:%d: signature %q: %w", file, lineOf(data, "id", sig.ID), sig.ID, err)
		}
		s.Signatures = append(s.Signatures, sig)
	}
	return nil
}

// index sorts the signatures and files them by kind.
func (s *Set) index() {
	slices.SortFunc(s.Signatures, func(a, b *Signature) int { return strings.Compare(a.ID, b.ID) })
	s.byKind = map[fact.Kind]kindIndex{}
	for _, sig := range s.Signatures {
		for _, k := range sig.Kinds {
			ix := s.byKind[k]
			if ix.equals == nil {
				ix.equals = map[string][]*Signature{}
			}
			for _, v := range sig.Equals {
				ix.equals[v] = append(ix.equals[v], sig)
			}
			if len(sig.Equals) == 0 {
				ix.others = append(ix.others, sig)
			}
			s.byKind[k] = ix
		}
	}
}
