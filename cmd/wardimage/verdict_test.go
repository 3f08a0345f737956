package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVerdict(t *testing.T) {
	const good = "RUN a\n| === RUN   TestX\n| --- PASS: TestX (0.1s)\n|     --- PASS: TestX/sub (0.1s)\n| PASS\nEND 0 1.5\n"
	tests := []struct {
		name, serial, out, err string
	}{
		{"good", "noise of the firmware\n" + good, "ok    a                           2 passed, 0 skipped, 1.5 s\n", ""},
		{"allowed skip", "RUN a\n| --- PASS: TestX (0s)\n| --- SKIP: TestNft (0s)\nEND 0 1.5\n",
			"skip  TestNft: no nft\nok    a                           1 passed, 1 skipped, 1.5 s\n", ""},
		{"other skip", "RUN a\n| --- PASS: TestX (0s)\n| --- SKIP: TestY (0s)\nEND 0 1.5\n",
			"--- PASS: TestX (0s)\n--- SKIP: TestY (0s)\nFAIL  a: skips TestY, 1.5 s\n", "a skips TestY"},
		{"failed", "RUN a\n| --- FAIL: TestX (0s)\nEND 1 1.5\n", "--- FAIL: TestX (0s)\nFAIL  a: 1 tests fail, exit code 1, 1.5 s\n", "a 1 tests fail, exit code 1"},
		{"panic", "RUN a\n| panic: x\nEND 2 1.5\n", "panic: x\nFAIL  a: 0 tests fail, exit code 2, 1.5 s\n", "a 0 tests fail, exit code 2"},
		{"nothing ran", "RUN a\n| PASS\nEND 0 1.5\n", "PASS\nFAIL  a: runs no test, 1.5 s\n", "a runs no test"},
		{"machine is lost", "RUN a\n| === RUN   TestX\n", "=== RUN   TestX\n", "0 of 1 packages ended, the last that began is a"},
		{"kernel complains", good + "KERNEL [ 1.0] WARNING: at x\n", "ok    a                           2 passed, 0 skipped, 1.5 s\nkernel: [ 1.0] WARNING: at x\n", ""},
		{"no modules", "ERROR load module x.ko: no such file\n" + good, "ok    a                           2 passed, 0 skipped, 1.5 s\n", "load module x.ko: no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			v := &verdict{out: &out, mayskip: map[string]string{"TestNft": "no nft"}, want: 1}
			for line := range strings.Lines(tt.serial) {
				v.line(strings.TrimSuffix(line, "\n"))
			}
			got := ""
			if err := v.end(); err != nil {
				got = err.Error()
			}
			if d := cmp.Diff(tt.err, got); d != "" {
				t.Errorf("error -want +got\n%s", d)
			}
			if d := cmp.Diff(tt.out, out.String()); d != "" {
				t.Errorf("output -want +got\n%s", d)
			}
		})
	}
}
