package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// rootFile is a root as people write it.
type rootFile struct {
	Site      string         `toml:"site"`
	Reason    string         `toml:"reason"`
	Key       []rootKey      `toml:"key"`
	Threshold map[string]int `toml:"threshold"` // people, by role; 1 where it is not said
}

type rootKey struct {
	Name  string   `toml:"name"`
	File  string   `toml:"file"` // beside the root's file, of the public key
	Roles []string `toml:"roles"`
}

// makeRoot signs the first root of a site, or the one that follows another.
func makeRoot(args []string, stdout, stderr io.Writer) error {
	fs, asJSON := signFlags("keys root", keysUsage, stderr)
	keys := keyFlag(fs)
	from, out, life := fs.String("from", "", ""), fs.String("o", "", ""), fs.Int("days", 3650, "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) != 1 || *out == "" || len(*keys) == 0 {
		fs.Usage()
		return errUsage
	}
	if *life < 1 || *life > 100*365 {
		return fmt.Errorf("--days %d: want 1 to %d", *life, 100*365)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	var f rootFile
	if err := strict.Decode(files[0], text, &f); err != nil {
		return err
	}
	a, err := f.args(filepath.Dir(files[0]))
	if err != nil {
		return fmt.Errorf("%s: %w", files[0], err)
	}
	a.Version = 1
	var old *signed.Root
	if *from != "" {
		if old, err = readRoot(*from); err != nil {
			return err
		}
		if a.Version = old.Version() + 1; old.Site() != f.Site {
			return fmt.Errorf("%s is of site %q, %s of %q", *from, old.Site(), files[0], f.Site)
		}
	}
	reason := f.Reason
	if reason == "" {
		reason = fmt.Sprintf("root version %d", a.Version)
	}
	now := time.Now()
	s := newStatement(now, time.Duration(*life)*24*time.Hour)
	s.Site, s.Target, s.Root, s.Reason = f.Site, []string{"all"}, a.Version-1, reason
	if s, err = s.EncodeArgs(a); err != nil {
		return fmt.Errorf("%s: %w", files[0], err)
	}
	e, err := signed.Sign(s, *keys...)
	if err != nil {
		return fmt.Errorf("%s: %w", files[0], err)
	}
	names := a.Keys
	if old != nil {
		names = append(names, old.Args().Keys...)
	}
	if err := known(e, names, "neither in "+files[0]+" nor in the root before it"); err != nil {
		return err
	}
	return writeEnvelope(stdout, *asJSON, *out, e, old)
}

// args are what is signed; keys are read from dir.
func (f rootFile) args(dir string) (signed.RootArgs, error) {
	a := signed.RootArgs{V: 1, Roles: make(map[signed.Role]signed.Quorum)}
	for _, k := range f.Key {
		if k.File == "" {
			return a, fmt.Errorf("key %q: file is missing", k.Name)
		}
		file := k.File
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		public, err := readPublic(file)
		if err != nil {
			return a, fmt.Errorf("key %q: %w", k.Name, err)
		}
		id := signed.KeyID(public)
		if slices.ContainsFunc(a.Keys, func(o signed.RootKey) bool { return o.KeyID == id }) {
			return a, fmt.Errorf("key %q: %s is listed before", k.Name, k.File)
		}
		a.Keys = append(a.Keys, signed.RootKey{KeyID: id, Public: public, Name: k.Name})
		for _, role := range k.Roles {
			r := signed.Role(role)
			if !slices.Contains(signed.Roles(), r) {
				return a, fmt.Errorf("key %q: role %q is not known: want of %s", k.Name, role, signed.Roles())
			}
			q := a.Roles[r]
			q.KeyIDs, q.Threshold = append(q.KeyIDs, id), 1
			a.Roles[r] = q
		}
	}
	for role, n := range f.Threshold {
		q, ok := a.Roles[signed.Role(role)]
		if !ok {
			return a, fmt.Errorf("threshold of role %q: nobody has it", role)
		}
		q.Threshold = n
		a.Roles[signed.Role(role)] = q
	}
	for _, q := range a.Roles {
		slices.Sort(q.KeyIDs)
	}
	slices.SortFunc(a.Keys, func(x, y signed.RootKey) int { return strings.Compare(x.KeyID, y.KeyID) })
	return a, nil
}

func readRoot(file string) (*signed.Root, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := signed.ParseRoot(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// known refuses signatures that would count for nothing.
func known(e signed.Envelope, keys []signed.RootKey, where string) error {
	var errs []error
	for _, s := range e.Signatures {
		if !slices.ContainsFunc(keys, func(k signed.RootKey) bool { return k.KeyID == s.KeyID }) {
			errs = append(errs, fmt.Errorf("--key: key %s is %s", s.KeyID, where))
		}
	}
	return errors.Join(errs...)
}
