package extract_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kinds that are measured, with the least share of the expected rows that must
// be found. 0: at most one row may be missing, because there are few.
var kinds = []struct {
	name  string
	share float64
}{
	{"dhcp.hostname", .95}, {"dhcp.vendor_class", .95}, {"tls.sni", .95}, {"tls.alpn", .95}, {"tls.ja3", .95}, {"tls.ja4", .95},
	{"mdns.name", .95}, {"mdns.ptr", .95}, {"http.user_agent", .95}, {"http.server", .85},
	{"lldp.sysname", 0}, {"lldp.sysdescr", 0}, {"lldp.chassis_mac", 0}, {"hl7.msh3_sending_app", 0}, {"hl7.msh4_sending_facility", 0},
	{"dicom.ae_title", 0}, {"dicom.ae_title_called_as", 0}, {"dicom.impl_class_uid", 0}, {"dicom.impl_version", 0}, {"wsd.types", 0},
}

// score runs the corpus' own comparison.
func score(t *testing.T, found string, args ...string) string {
	dir := os.Getenv("CORPUS")
	args = append(append([]string{filepath.Join(dir, "scripts", "score.py")}, args...), filepath.Join(dir, "expected.tsv"), found)
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "python3", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("score.py: %v\n%s%s", err, out, stderr.Bytes())
	}
	return string(out)
}

// TestCorpusScore measures what is found against what is expected.
func TestCorpusScore(t *testing.T) {
	files := corpus(t)
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 to run score.py: apt-get install python3")
	}
	name := filepath.Join(t.TempDir(), "found.ndjson")
	w, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	out := json.NewEncoder(w)
	for _, path := range files {
		all, _ := replay(t, path) // TestCorpus looks at the errors
		for _, r := range all {
			if err := out.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
	}

	var names []string
	least := make(map[string]float64)
	for _, k := range kinds {
		names = append(names, k.name)
		least[k.name] = k.share
	}
	plain := []string{"--via", "eth,vlan", "--kinds", strings.Join(names, ",")}
	table := score(t, name, plain...)
	t.Logf("\n%s", table)
	seen := 0
	for line := range strings.Lines(table) {
		col := strings.Fields(line) // kind expected found personal missing extra leaked share
		if len(col) != 8 || col[0] == "kind" {
			continue
		}
		seen++
		expected, missing, leaked := number(t, col[1]), number(t, col[4]), number(t, col[6])
		want := least[col[0]]
		if want == 0 && missing > 1 || float64(missing) > (1-want)*float64(expected) || leaked > 0 {
			t.Errorf("%s: %d of %d missing, %d leaked", col[0], missing, expected, leaked)
		}
	}
	if seen != len(kinds) {
		t.Errorf("%d kinds in the table, want %d", seen, len(kinds))
	}
	// Of everything that must not appear, whatever its kind.
	if all := score(t, name); !strings.Contains(all, "leaked 0 of ") {
		t.Errorf("something leaked:\n%s", all)
	}
	checkExtra(t, score(t, name, append(plain, "--list", "extra")...))
	names = slices.DeleteFunc(names, func(kind string) bool { return !medical(kind) })
	checkMissing(t, score(t, name, "--list", "missing", "--kinds", strings.Join(names, ",")))
}

// checkMissing: of what medical protocols say, in whatever it is wrapped, nothing
// is missing but what is listed with the rule that leaves it out.
func checkMissing(t *testing.T, listing string) {
	allowed := make(map[string]bool)
	for _, row := range table(t, filepath.Join("testdata", "corpus_missing.tsv"), 3) {
		allowed[row[0]+" "+row[1]] = true
	}
	for line := range strings.Lines(listing) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t") // missing file mac ip kind value via
		if len(col) < 5 || col[0] != "missing" {
			continue
		}
		row := col[1] + " " + col[4]
		if !allowed[row] {
			t.Errorf("missing: %s", row)
		}
		delete(allowed, row)
	}
	for row := range allowed {
		t.Errorf("in corpus_missing.tsv but found: %s", row)
	}
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("score.py printed %q for a number", s)
	}
	return n
}

// checkExtra compares what was found beyond the expected with the reviewed list.
func checkExtra(t *testing.T, listing string) {
	reviewed := make(map[string]bool)
	f, err := os.Open(filepath.Join("testdata", "corpus_extra.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if col := strings.Split(lines.Text(), "\t"); !strings.HasPrefix(lines.Text(), "#") {
			if len(col) != 4 || col[3] == "" {
				t.Fatalf("corpus_extra.tsv: want file, kind, hash and reason: %q", lines.Text())
			}
			reviewed[strings.Join(col[:3], "\t")] = true
		}
	}
	for line := range strings.Lines(listing) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t") // extra file kind value where
		if len(col) < 4 || col[0] != "extra" {
			continue
		}
		sum := sha256.Sum256([]byte(col[3]))
		row := strings.Join([]string{col[1], col[2], hex.EncodeToString(sum[:6])}, "\t")
		if !reviewed[row] {
			t.Errorf("found but not expected, and not in corpus_extra.tsv: %s", row)
		}
		delete(reviewed, row)
	}
	for row := range reviewed {
		t.Errorf("in corpus_extra.tsv but no longer found: %s", row)
	}
}
