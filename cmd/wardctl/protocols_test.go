package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

var update = flag.Bool("update", false, "rewrite protocols.tsv")

// TestProtocolsAreThoseOfTheCode makes protocols.tsv from the message types of
// package dissect: those whose comment says what is never read.
func TestProtocolsAreThoseOfTheCode(t *testing.T) {
	dir := filepath.Join("..", "..", "agent", "observe", "dissect")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				if line := messageLine(g); line != "" {
					lines = append(lines, line)
				}
			}
		}
	}
	slices.Sort(lines)
	want := strings.Join(lines, "")
	if *update {
		if err := os.WriteFile("protocols.tsv", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, messages); d != "" {
		t.Errorf("protocols.tsv is not what the code says: go test ./cmd/wardctl -run TestProtocols -update\n%s", d)
	}
}

// messageLine is the line of a message type; "" for any other type.
func messageLine(g *ast.GenDecl) string {
	spec, ok := g.Specs[0].(*ast.TypeSpec)
	if !ok || !spec.Name.IsExported() {
		return ""
	}
	s, ok := spec.Type.(*ast.StructType)
	text := strings.Join(strings.Fields(g.Doc.Text()), " ")
	about, never, found := strings.Cut(text, "phi: ")
	if !ok || !found {
		return ""
	}
	var kept []string
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			if n := name.Name; name.IsExported() && n != "Next" && n != "Body" && !strings.HasSuffix(n, "Len") {
				kept = append(kept, n)
			}
		}
	}
	about = strings.TrimPrefix(new(doc.Package).Synopsis(about), spec.Name.Name+" is ")
	return fmt.Sprintf("%s\t%s\t%s\t%s\n", spec.Name, about, strings.Join(kept, ", "), strings.TrimSpace(never))
}

// TestProtocols: each protocol and each message is named.
func TestProtocols(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"protocols"}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	for _, p := range dissect.Protocols() {
		if !strings.Contains(out.String(), p.String()) {
			t.Errorf("%v is missing", p)
		}
	}
	if n := strings.Count(out.String(), "never read"); n < 20 {
		t.Errorf("only %d messages say what is never read", n)
	}
	if code := run([]string{"protocols", "x"}, nil, &out, &errs); code != exitUsage {
		t.Errorf("exit %d with a word too many", code)
	}
}
