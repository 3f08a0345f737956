package dissect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestReadingsAreComplete: a protocol that is told, or a message that says what
// it never reads, has its row, and only one.
func TestReadingsAreComplete(t *testing.T) {
	protocols, messages := map[Protocol]int{}, map[string]int{}
	for _, r := range Readings() {
		if r.Name == "" || r.Stated == "" || strings.ContainsAny(r.Name+r.Stated, "|\n") {
			t.Errorf("row %+v: want a name and what is stated, on one line", r)
		}
		for _, p := range r.Protocols {
			protocols[p]++
		}
		for _, m := range r.Messages {
			messages[m]++
		}
	}
	for p := ProtocolTLS; p.String() != "none"; p++ {
		if protocols[p] != 1 {
			t.Errorf("%v is in %d rows, want 1", p, protocols[p])
		}
		if !slices.Contains(Protocols(), p) {
			t.Errorf("no opening tells %v", p)
		}
	}
	want := messageTypes(t)
	for _, m := range want {
		if messages[m] != 1 {
			t.Errorf("message %s is in %d rows, want 1", m, messages[m])
		}
	}
	for m := range messages {
		if !slices.Contains(want, m) {
			t.Errorf("there is no message %s that says what it never reads", m)
		}
	}
}

// messageTypes are the exported structs whose comment says what is never read.
func messageTypes(t *testing.T) (names []string) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && strings.Contains(strings.Join(strings.Fields(g.Doc.Text()), " "), "phi: ") {
				names = append(names, g.Specs[0].(*ast.TypeSpec).Name.Name)
			}
		}
	}
	return names
}
