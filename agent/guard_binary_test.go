package agent

import (
	"bytes"
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// updating reports whether to rewrite the golden list: go test ./agent -run TestDependencies -update
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite golden files")
	flag.Parse()
	os.Exit(m.Run())
}

// maxBinary is the most bytes of the agent's binary: flash and updates are
// small on a gateway.
const maxBinary = 12_000_000

func TestBinaries(t *testing.T) {
	if testing.Short() {
		t.Skip("cross-compiles the agent: not in the inner loop")
	}
	for _, arch := range []struct {
		goarch, goarm string
		machine       elf.Machine
	}{{"arm64", "", elf.EM_AARCH64}, {"arm", "7", elf.EM_ARM}} {
		t.Run(arch.goarch+arch.goarm, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "wardkeeper")
			cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./cmd/wardkeeper")
			cmd.Dir = ".."
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch.goarch, "GOARM="+arch.goarm)
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("go build: %v\n%s", err, msg)
			}
			st, err := os.Stat(out)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s%s: %d bytes", arch.goarch, arch.goarm, st.Size())
			if st.Size() > maxBinary {
				t.Errorf("%d bytes, more than %d: flash and updates are small on a gateway; see what was linked in with go tool nm -size", st.Size(), maxBinary)
			}
			f, err := elf.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Machine != arch.machine {
				t.Errorf("machine %v, want %v", f.Machine, arch.machine)
			}
			if libs, _ := f.ImportedLibraries(); len(libs) > 0 || slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
				t.Errorf("not static (needs %v): the image has no libraries", libs)
			}
			if f.Section(".symtab") != nil || f.Section(".debug_info") != nil {
				t.Error("not stripped: symbols double the size")
			}
		})
	}
}

// TestDependencies compares the modules linked into each command with a list
// that a person reviewed: a new dependency is a line in a diff, with its reason.
func TestDependencies(t *testing.T) {
	var got bytes.Buffer
	for _, cmd := range []string{"wardctl", "wardkeeper", "wardlab"} {
		c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/"+cmd)
		c.Dir = ".."
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
		var msg bytes.Buffer
		c.Stderr = &msg
		out, err := c.Output()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, msg.Bytes())
		}
		mods := strings.Fields(strings.ReplaceAll(string(out), " ", "@"))
		slices.Sort(mods)
		for _, m := range slices.Compact(mods) {
			if !strings.HasPrefix(m, module+"@") {
				got.WriteString(cmd + " " + strings.TrimSuffix(m, "@") + "\n")
			}
		}
	}
	golden := filepath.Join("testdata", "dependencies.txt")
	if updating() {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("linked modules differ from %s (-reviewed +linked):\n%s\nbecause every module is code we ship: check size, licence, upkeep and that it is pure Go, add it to NOTICE, then run go test ./agent -run TestDependencies -update", golden, diff)
	}
}

// TestNotice: every module that is linked has its licence named in NOTICE.
func TestNotice(t *testing.T) {
	notice, err := os.ReadFile("../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	deps, err := os.ReadFile(filepath.Join("testdata", "dependencies.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(deps)), "\n") {
		_, mod, _ := strings.Cut(line, " ")
		path, _, _ := strings.Cut(mod, "@")
		if !bytes.Contains(notice, []byte(path+"\n")) {
			t.Errorf("NOTICE does not name %s: its licence asks for that", path)
		}
	}
}
