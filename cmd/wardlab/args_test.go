package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"run", "--for", "20s", "--shuffle", "9", "--mode", "observe", "--rules", "/r", "--agent", "/a", "--json"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.For != 20*time.Second || o.Seed != 9 || o.Mode != "observe" || o.Rules != "/r" || o.Agent != "/a" || !o.JSON || o.NoAgent {
		t.Errorf("options %+v", o)
	}
	if o, err = parse([]string{"run", "--ward", "icu"}, nil); err != nil || o.Ward != "icu" || o.Check() != nil {
		t.Errorf("ward: %+v, %v", o, err)
	}
	if o.Ward = "attic"; o.Check() == nil {
		t.Error("a ward that there is not passes")
	}
	if o, err = parse([]string{"record", "--shuffle", "4", "--ward", "lab", "/d"}, nil); err != nil || o.Record != "/d" || o.Seed != 4 || o.Ward != "lab" || !o.NoAgent {
		t.Errorf("record: %+v, %v", o, err)
	}
	if o, err = parse([]string{"run"}, nil); err != nil || o.For != 30*time.Second || o.Mode != "enforce" {
		t.Errorf("defaults: %+v, %v", o, err)
	}
	if o, err = parse([]string{"run", "--console"}, nil); err != nil || o.For != 10*time.Minute || o.Live != io.Discard {
		t.Errorf("console: %+v, %v", o, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"walk"}, `unknown command "walk": want run, record or help`},
		{[]string{"run", "--fro", "1s"}, "run: flag provided but not defined: -fro"},
		{[]string{"run", "x"}, `run: unexpected argument "x"`},
		{[]string{"record"}, "record: want one folder"},
	} {
		if _, err := parse(tt.args, nil); err == nil || err.Error() != tt.want {
			t.Errorf("%v: %v, want %s", tt.args, err, tt.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"run", "-h"}} {
		var b strings.Builder
		o, err := parse(args, &b)
		if o != nil || err != nil || !strings.Contains(b.String(), "wardlab run [flags]") || !strings.Contains(b.String(), "-no-agent") {
			t.Errorf("%v: %+v, %v:\n%s", args, o, err, b.String())
		}
	}
}
