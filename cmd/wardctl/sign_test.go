package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// However long a command is said to be good for, a gateway takes it: from nbf to
// exp it is an hour at most, and it is good now.
func TestCommandLife(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	wardctl := func(args ...string) {
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
	wardctl("keys", "root", in("root.toml"), "--key", in("a.key"), "-o", in("root.dsse"))
	for _, life := range []string{"1s", "10m", "58m", "59m", "1h"} {
		wardctl("sign", "command", "ping", "--root", in("root.dsse"), "--key", in("a.key"), "--to", "gw1", "--for", life, "-o", in("x.dsse"))
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
