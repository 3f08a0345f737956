package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestWhatIsMissing: who forgets where the broker is, or what to bring there, is
// told so before how it is said.
func TestWhatIsMissing(t *testing.T) {
	for words, want := range map[string]string{
		"push x.dsse":                             "wardctl push: --broker is missing",
		"push --broker mqtt://h:1":                "wardctl push: FILE.dsse is missing",
		"cmd x.dsse --broker mqtts://h:1 --key k": "wardctl cmd: --cert is missing",
		"cmd --broker mqtt://h:1":                 "wardctl cmd: FILE.dsse is missing",
		"cmd a b --broker mqtt://h:1":             "usage:",
		"watch --site s":                          "wardctl watch: --broker is missing",
		"watch --broker mqtt://h:1":               "wardctl watch: --site is missing",
		"watch x --broker mqtt://h:1 --site s":    "usage:",
		"state --broker mqtts://h:1 --cert c":     "wardctl state: --key is missing",
	} {
		var out, errs bytes.Buffer
		code := run(strings.Fields(words), nil, &out, &errs)
		if first, _, _ := strings.Cut(errs.String(), "\n"); code != exitUsage || first != want {
			t.Errorf("%s: exit %d, %q, want %q", words, code, first, want)
		}
	}
}
