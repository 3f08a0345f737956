package agent

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestOneDocComment(t *testing.T) {
	tr := load(t)
	docs := make(map[string][]string)
	for _, s := range tr.files {
		if !s.test && s.file.Doc != nil {
			docs[s.dir] = append(docs[s.dir], s.path)
		}
	}
	for dir := range tr.dirs() {
		if n := len(docs[dir]); n != 1 {
			t.Errorf("%s has %d package comments %v: want one, that says what the package is for and what it is not", dir, n, docs[dir])
		}
	}
}

// mapLine is a line of the map: a package, then what it is for.
var mapLine = regexp.MustCompile(`(?m)^//\t([a-z][a-z0-9/]*) {2,}\S`)

func TestMapNamesWhatExists(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, m := range mapLine.FindAllStringSubmatch(string(doc), -1) {
		if named[m[1]] {
			t.Errorf("agent/doc.go names %s twice", m[1])
		}
		named[m[1]] = true
	}
	exist := load(t).dirs()
	for dir := range exist {
		if !named[dir] && !strings.Contains(dir, "/internal/") {
			t.Errorf("agent/doc.go does not name %s: the map must name exactly what exists, or a newcomer cannot trust it", dir)
		}
	}
	for dir := range named {
		if !exist[dir] {
			t.Errorf("agent/doc.go names %s, which does not exist: the map must name exactly what exists", dir)
		}
	}
}

// maxCode is the most lines of code of a file; generated ones end in _gen.go.
const maxCode = 500

func TestFilesStaySmall(t *testing.T) {
	tr := load(t)
	for _, s := range tr.files {
		if n := codeLines(tr.fset, s.file); n > maxCode && !strings.HasSuffix(s.path, "_gen.go") {
			t.Errorf("%s has %d lines of code, more than %d: a file is one thing; split it", s.path, n, maxCode)
		}
	}
}

// codeLines counts lines that hold more than a comment.
func codeLines(fset *token.FileSet, f *ast.File) int {
	lines := make(map[int]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			return false
		case *ast.Comment, *ast.CommentGroup:
			return false
		default:
			lines[fset.Position(n.Pos()).Line] = true
			lines[fset.Position(n.End()-1).Line] = true
			return true
		}
	})
	return len(lines)
}

// unfinished marks what somebody meant to do.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

func TestNothingIsUnfinished(t *testing.T) {
	tr := load(t)
	for _, s := range tr.files {
		for _, g := range s.file.Comments {
			for _, c := range g.List {
				if word := unfinished.FindString(c.Text); word != "" && !strings.HasPrefix(s.path, "agent/guard") {
					t.Errorf("%s: a comment with %s: do it, or file an issue", tr.fset.Position(c.Pos()), word)
				}
			}
		}
	}
}

// clocks may read the time; everyone else is given it, and can be tested.
func clocks() []string { return []string{"agent/clock", "platform/...", "cmd/..."} }

func TestTimeIsGiven(t *testing.T) {
	tr := load(t)
	for _, s := range tr.files {
		if s.test || slices.ContainsFunc(clocks(), func(c string) bool { return below(s.dir, c) }) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				x, ok := sel.X.(*ast.Ident)
				if ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
					t.Errorf("%s: time.%s: take a clock or a stamp; the wall clock of a gateway is wrong at boot, and tests cannot wait", tr.fset.Position(n.Pos()), sel.Sel.Name)
				}
			}
			return true
		})
	}
}
