package main

import (
	"testing"
	"time"
)

func TestParseTestWords(t *testing.T) {
	for text, want := range map[string]testWords{
		"":                            {},
		"hang-init\n":                 {hang: true},
		"no-agent open=20s":           {noAgent: true, open: 20 * time.Second},
		"fault-tasks":                 {faults: true},
		"open=31m":                    {}, // never longer than the button itself
		"open=-1s open=x no-agents x": {},
	} {
		if got := parseTestWords(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
