package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// signer runs wardctl in a folder with the key of one person, a.key, and the first
// root, 1, of a site that obeys it.
func signer(t *testing.T) (in func(name string) string, wardctl func(args ...string)) {
	t.Helper()
	dir := t.TempDir()
	in = func(name string) string { return filepath.Join(dir, name) }
	wardctl = func(args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(args, nil, &out, &errs); code != 0 {
			t.Fatalf("wardctl %s: exit %d: %s", args, code, errs.String())
		}
	}
	if err := os.WriteFile(in("root.toml"), []byte("site = \"s\"\n[[key]]\nname = \"a\"\nfile = \"a.key.pub\"\nroles = [\"root\", \"command\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wardctl("keys", "new", "-o", in("a.key"))
	wardctl("keys", "root", in("root.toml"), "--key", in("a.key"), "-o", in("1"))
	return in, wardctl
}

// Roots go together in one message, each the next of the one before it.
func TestPushedRoots(t *testing.T) {
	in, wardctl := signer(t)
	for _, v := range []string{"1", "2"} {
		wardctl("keys", "root", in("root.toml"), "--from", in(v), "--key", in("a.key"), "-o", in(string(v[0]+1)))
	}
	wardctl("sign", "command", "ping", "--root", in("1"), "--key", in("a.key"), "--to", "gw1", "-o", in("ping"))
	for _, c := range []struct {
		root  string
		files []string
		want  int // lines; 0: refused
	}{
		{"", []string{"1"}, 1}, {"", []string{"2", "3"}, 2}, {"1", []string{"2", "3"}, 2}, {"", []string{"1", "2", "3"}, 3},
		{"1", []string{"3"}, 0}, {"", []string{"3", "2"}, 0}, {"", []string{"1", "3"}, 0}, {"", []string{"2", "ping"}, 0}, {"", []string{"ping", "2"}, 0},
	} {
		var files []string
		for _, f := range c.files {
			files = append(files, in(f))
		}
		root := ""
		if c.root != "" {
			root = in(c.root)
		}
		_, text, err := (&link{}).readRoots(files, root)
		got := 0
		if err == nil {
			got = bytes.Count(text, []byte("\n")) + 1
		}
		if got != c.want {
			t.Errorf("%s on %q: %d lines, want %d: %v", c.files, c.root, got, c.want, err)
		}
	}
}

// However long a command is said to be good for, a gateway takes it: from nbf to
// exp it is an hour at most, and it is good now.
func TestCommandLife(t *testing.T) {
	in, wardctl := signer(t)
	for _, life := range []string{"1s", "10m", "58m", "59m", "1h"} {
		wardctl("sign", "command", "ping", "--root", in("1"), "--key", in("a.key"), "--to", "gw1", "--for", life, "-o", in("x.dsse"))
		_, s, _, err := readSigned(in("x.dsse"), "")
		if err != nil {
			t.Fatal(err)
		}
		from, until := s.NotBeforeTime(), s.ExpiresTime()
		want, err := time.ParseDuration(life)
		if err != nil {
			t.Fatal(err)
		}
		if now := time.Now(); until.Sub(from) > time.Hour || from.After(now) || now.Add(want).Sub(until).Abs() > 5*time.Second {
			t.Errorf("--for %s: from %s to %s", life, s.NotBefore, s.Expires)
		}
		if s.Kind != signed.KindCommand {
			t.Errorf("kind %s", s.Kind)
		}
	}
}
