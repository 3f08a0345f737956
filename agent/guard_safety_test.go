package agent

import (
	"go/ast"
	"os"
	"regexp"
	"testing"
)

// testName is a test named in SAFETY.md.
var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+)`")

// A control whose test does not exist is a promise that nobody keeps.
func TestSafetyNamesRealTests(t *testing.T) {
	text, err := os.ReadFile("../SAFETY.md")
	if err != nil {
		t.Fatal(err)
	}
	exist := make(map[string]bool)
	for _, s := range load(t).files {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				exist[f.Name.Name] = true
			}
		}
	}
	named := testName.FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Fatalf("SAFETY.md names %d tests: the table was not read", len(named))
	}
	for _, m := range named {
		if !exist[m[1]] {
			t.Errorf("SAFETY.md names %s, which does not exist: a hazard has lost its control, or the control its test", m[1])
		}
	}
}
