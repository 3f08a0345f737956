package main

import (
	"bytes"
	"encoding/json"
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

var update = flag.Bool("update", false, "rewrite protocols.tsv and the README's table of protocols")

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
	if n := strings.Count(out.String(), "never read: "); n != strings.Count(messages, "\n") {
		t.Errorf("%d of %d messages say what is never read", n, strings.Count(messages, "\n"))
	}
	if code := run([]string{"protocols", "x"}, nil, &out, &errs); code != exitUsage {
		t.Errorf("exit %d with a word too many", code)
	}
}

// TestProtocolsJSON: a program gets the same, and nothing of it empty.
func TestProtocolsJSON(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"protocols", "--json"}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var got []reading
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(readings(), got); d != "" {
		t.Errorf("protocols read back (-want +got):\n%s", d)
	}
	told, read := 0, 0
	for _, r := range got {
		told += len(r.Told)
		for _, m := range r.Messages {
			if read++; m.About == "" || m.Never == "" || len(m.Kept) == 0 || m.Kept[0] == "" {
				t.Errorf("message %+v lacks something", m)
			}
		}
	}
	if told != len(dissect.Openings()) || read != strings.Count(messages, "\n") {
		t.Errorf("%d openings and %d messages, want %d and %d", told, read, len(dissect.Openings()), strings.Count(messages, "\n"))
	}
}

// TestReadmeHasTheTable: the README's table of protocols is the one of the code.
func TestReadmeHasTheTable(t *testing.T) {
	const head = "| protocol | what is stated |\n|---|---|\n"
	path := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("README.md has no line %q", head)
	}
	table, after, _ := strings.Cut(rest, "\n\n")
	var want strings.Builder
	for _, r := range readings() {
		fmt.Fprintf(&want, "| %s | %s |\n", r.Name, r.Stated)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+head+want.String()+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want.String(), table+"\n"); d != "" {
		t.Errorf("README.md: go test ./cmd/wardctl -run Readme -update (-want +got)\n%s", d)
	}
}

// TestReadmeHasTheCoverage: the README's line on the families of devices is what
// the rules know.
func TestReadmeHasTheCoverage(t *testing.T) {
	const mark = "<!-- wardctl protocols --coverage -->\n"
	path := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), mark)
	if !found {
		t.Fatalf("README.md has no line %q", mark)
	}
	line, after, _ := strings.Cut(rest, "\n")
	all, err := coverage()
	if err != nil {
		t.Fatal(err)
	}
	want := sumUp(all)
	if *update {
		if err := os.WriteFile(path, []byte(before+mark+want+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, line); d != "" {
		t.Errorf("README.md: go test ./cmd/wardctl -run Readme -update (-want +got)\n%s", d)
	}
}

// TestCoverage: every family is printed with what it is known by.
func TestCoverage(t *testing.T) {
	var text, asJSON strings.Builder
	if err := protocols([]string{"--coverage"}, &text, &text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"GE Dash 3000/4000/5000: patient monitor\n  wire\n  hl7.ge-monitor (hint), port.ge-unity, unity.rwhat, unity.vitals\n",
		"B. Braun Infusomat/Perfusor Space + SpaceStation/SpaceCom: infusion pump\n  document\n",
		"Fukuda Denshi DS-series: patient monitor\n  document, the maker of the MAC alone\n", "Natus Xltek NeuroWorks EEG: EEG\n  hint\n  dhcp.natus (hint)\n",
		"Contec CMS8000: patient monitor\n  none\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if err := protocols([]string{"--coverage", "--json"}, &asJSON, &asJSON); err != nil {
		t.Fatal(err)
	}
	var all []covered
	if err := json.Unmarshal([]byte(asJSON.String()), &all); err != nil || len(all) < 99 {
		t.Errorf("%d families, %v", len(all), err)
	}
}
