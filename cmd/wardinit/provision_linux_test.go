package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree is all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTakeOver: what a person put on the ESP is taken over, and again when it
// has changed; a configuration that cannot be read never takes the place of one
// that can, since a gateway without an agent has no console to mend it by.
func TestTakeOver(t *testing.T) {
	esp, own := filepath.Join(t.TempDir(), "wardkeeper"), filepath.Join(t.TempDir(), "etc")
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(esp, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(what, fault string, want map[string]string) {
		t.Helper()
		if err := takeOver(esp, own); (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %q", what, err, fault)
		}
		if diff := cmp.Diff(want, tree(t, own)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if err := takeOver(esp, own); err != nil {
		t.Errorf("an ESP without the folder: %v", err)
	}
	const good, better = "gateway = \"gw1\"\n", "gateway = \"gw2\"\n"
	write("pki/ca.pem", "ca")
	write("gateway.csr", "the gateway's own")
	write("wardkeeper.toml", "gatway = \"gw1\"\n")
	run("a new gateway, badly described", `take over wardkeeper.toml: wardkeeper.toml:1: unknown key "gatway"`, map[string]string{"pki/ca.pem": "ca"})
	write("wardkeeper.toml", good)
	run("a new gateway", "", map[string]string{"pki/ca.pem": "ca", "wardkeeper.toml": good})
	write("wardkeeper.toml", "gateway = \"a/b\"\n")
	write("pki/gateway.pem", "cert")
	run("a mistake", `wardkeeper.toml:1: gateway: "a/b"`, map[string]string{"pki/ca.pem": "ca", "pki/gateway.pem": "cert", "wardkeeper.toml": good})
	write("wardkeeper.toml", better)
	write("pki/huge", strings.Repeat("x", maxProvided+1))
	run("another gateway, and a file that is none of ours", "take over pki/huge", map[string]string{"pki/ca.pem": "ca", "pki/gateway.pem": "cert", "wardkeeper.toml": better})
}
