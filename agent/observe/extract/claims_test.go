package extract_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
)

// TestNoiseIsNoProtocol: no medical protocol is found in traffic that is none,
// however it is mutated. NOISE_MB says how many megabytes are tried; of a
// gigabyte one claim may be false (issue 6), of less none.
func TestNoiseIsNoProtocol(t *testing.T) {
	megabytes := 16
	if s := os.Getenv("NOISE_MB"); s != "" {
		var err error
		if megabytes, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	samples := otherProtocols(t)
	facts, claims := listen(t, samples, megabytes)
	for c, value := range claims {
		t.Logf("conversation %d: %s %q", c.conversation, c.kind, value)
		for _, f := range conversation(c.conversation, samples) {
			t.Logf("  %.200q", f[min(len(f), 34):])
		}
	}
	if n := len(claims); n > megabytes/1000 {
		t.Errorf("%d claims in %d MB", n, megabytes)
	}
	t.Logf("%d MB of noise from %d samples, %d facts, %d of them medical", megabytes, len(samples), facts, len(claims))
	// What is said in a medical protocol is found in the same traffic.
	for _, c := range slices.Concat(medicalTalks(), deviceTalks()) {
		for _, s := range []string{c.client, c.server} {
			all := said(stream(s, 1400)...)
			if !slices.ContainsFunc(all, func(line string) bool { return medical(line[2:]) }) {
				continue // says nothing alone
			}
			if _, claims := listen(t, [][]byte{[]byte(s)}, 1); len(claims) == 0 {
				t.Errorf("%s is not found", c.name)
			}
		}
	}
}

// claim is a medical fact of an end of a conversation.
type claim struct {
	conversation uint64
	kind         string
}

// listen counts the facts of so much noise and returns those that are medical.
func listen(t *testing.T, samples [][]byte, megabytes int) (facts int, claims map[claim]string) {
	t.Helper()
	const shares = 8 // of a fixed number, so that the conversations are the same on any machine
	var mu sync.Mutex
	var wg sync.WaitGroup
	claims = make(map[claim]string)
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range uint64(shares) {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			src := &noise{samples: samples, n: i, step: shares, left: megabytes << 20 / shares}
			_, err := extract.Replay(src, extract.Options{Flows: 4096}, func(b fact.Batch) {
				mu.Lock()
				defer mu.Unlock()
				facts += len(b.Facts)
				for _, f := range b.Facts {
					if medical(string(f.Kind)) {
						claims[claim{conversationOf(f.IP), string(f.Kind)}] = f.Value.String()
					}
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return facts, claims
}

// medical reports a kind of the medical protocols and of what stands beside
// them, discovery and serial device servers.
func medical(kind string) bool {
	switch protocol, _, _ := strings.Cut(kind, "."); protocol {
	case "service", "dhcp", "dns", "mdns", "tls", "http", "lldp", "ndp", "oui":
		return false
	}
	return true
}

// TestCorpusClaims: of each capture, medical protocols are claimed only where
// tshark's list of protocols in it has them, or where the dispute is listed with
// the bytes that decide it.
func TestCorpusClaims(t *testing.T) {
	files := corpus(t)
	tshark := make(map[string]string) // by file, in the manifest's words
	for _, row := range table(t, filepath.Join(os.Getenv("CORPUS"), "MANIFEST.tsv"), 7) {
		tshark[filepath.Base(row[0])] = " " + row[6]
	}
	type dispute struct{ file, protocol string }
	bytes := make(map[dispute]string)
	for _, row := range table(t, filepath.Join("testdata", "corpus_disputes.tsv"), 4) {
		bytes[dispute{row[0], row[1]}] = row[2]
	}
	for _, path := range files {
		file := filepath.Base(path)
		listed, ok := tshark[file]
		if !ok {
			t.Errorf("%s: not in the manifest", file)
		}
		claimed := make(map[string]found)
		all, _ := replay(t, path) // TestCorpus looks at the errors
		for _, r := range all {
			if protocol, _, _ := strings.Cut(r.Kind, "."); medical(r.Kind) {
				claimed[protocol] = r
			}
		}
		for protocol, r := range claimed {
			d := dispute{file, protocol}
			if strings.Contains(listed, " "+protocol+":") {
				continue
			}
			opening, ok := bytes[d]
			if !ok {
				t.Errorf("%s: %s %q of %s", file, r.Kind, r.Value, r.MAC)
			} else if !slices.ContainsFunc(payloads(path), func(b []byte) bool { return strings.HasPrefix(hex.EncodeToString(b), opening) }) {
				t.Errorf("%s: nothing begins with %s", file, opening)
			}
			delete(bytes, d)
		}
	}
	for d := range bytes {
		t.Errorf("%s: %s is not in dispute any more", d.file, d.protocol)
	}
}

// table reads the rows of a file with tabs, but for comments.
func table(t *testing.T, path string, columns int) (rows [][]string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if row := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); line[0] != '#' && len(row) >= columns {
			rows = append(rows, row)
		}
	}
	return rows
}
