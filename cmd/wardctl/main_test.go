package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wardctl": main})
}

// TestScripts runs the tool as a person would. $WARD holds what `wardlab
// record` wrote: one capture for each ward port of a ward without an agent.
func TestScripts(t *testing.T) {
	ward, err := filepath.Abs(filepath.Join("testdata", "ward"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("WARD", ward)
			return os.MkdirAll(e.WorkDir, 0o755)
		},
	})
}
