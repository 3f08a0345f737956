package main

import (
	"bytes"
	"path/filepath"
	"testing"
)

// TestExamplePolicies: the policies that the README names as examples are read
// with the roles that ship, and judge a capture.
func TestExamplePolicies(t *testing.T) {
	files, err := filepath.Glob("../../agent/protect/policy/testdata/*.policy.toml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		var out, errs bytes.Buffer
		if code := run([]string{"replay", "testdata/ward/w1.pcap", "--policy", f}, nil, &out, &errs); code != 0 {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	}
}
