package agent

// The guards of the house: tests that keep the tree what doc.go and the design
// say it is. Each failure gives the reason, not only the rule.

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// module is the import path of the repository's root, which lies one folder up.
const module = "github.com/wardkeeper/wardkeeper"

// source is one parsed Go file of the repository.
type source struct {
	path string // relative to the root
	dir  string // relative to the root, "." for the root
	test bool
	file *ast.File
}

// tree is all Go files of the repository.
type tree struct {
	fset  *token.FileSet
	files []source
}

func load(t *testing.T) tree {
	t.Helper()
	tr := tree{fset: token.NewFileSet()}
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && (base == "testdata" || base == "bin" || (strings.HasPrefix(base, ".") && base != "..")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(tr.fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", p)
		if err != nil {
			return err
		}
		tr.files = append(tr.files, source{path: rel, dir: filepath.Dir(rel), test: strings.HasSuffix(p, "_test.go"), file: f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.files) < 20 {
		t.Fatalf("only %d Go files found: the guards are looking at the wrong place", len(tr.files))
	}
	return tr
}

// dirs lists the folders that hold a package (not only tests of one).
func (tr tree) dirs() map[string]bool {
	out := make(map[string]bool)
	for _, s := range tr.files {
		if !s.test {
			out[s.dir] = true
		}
	}
	return out
}
