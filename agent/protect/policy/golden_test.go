package policy

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), rewrite with go test -update:\n%s", name, diff)
	}
}

func TestGoldenText(t *testing.T) {
	golden(t, "lab.golden.txt", compileLab(t).Text())
	golden(t, "wide.golden.txt", compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()).Text())
}

func TestTablesAreValid(t *testing.T) {
	for _, c := range []*Compiled{compileLab(t), compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()), compile(t, None(), wideSnapshot())} {
		if err := c.Table(1).Load().Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	first := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())
	for range 20 {
		again := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())
		if diff := cmp.Diff(first.Text(), again.Text()); diff != "" {
			t.Fatalf("compiled twice (-first +second):\n%s", diff)
		}
	}
}
