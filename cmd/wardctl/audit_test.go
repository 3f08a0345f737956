package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
)

// newTrail makes an audit trail as a gateway commits it.
func newTrail(t *testing.T, gw string, n int) (lines []string) {
	t.Helper()
	prev := event.ZeroPrev
	for seq := 1; seq <= n; seq++ {
		env, err := event.Seal(event.Event{Class: event.Audit, Body: event.Act{Act: "code", Who: "a<b", Seconds: int64(seq)},
			At: clock.Stamp{Wall: time.Unix(1795877066, 0), BootID: "b", Quality: clock.NTP}}, "st-mary", gw, "e1", uint64(seq))
		if err != nil {
			t.Fatal(err)
		}
		env.Prev = prev
		b, err := json.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		prev = event.Chain(b)
		lines = append(lines, string(b))
	}
	return lines
}

// changed is a record with something else in it; what it follows stays.
func changed(line, from, to string) string { return strings.Replace(line, from, to, 1) }

func TestAuditVerify(t *testing.T) {
	a := newTrail(t, "gw1", 9)
	b := newTrail(t, "gw2", 3)
	late := func(l string) string { return string(event.Late([]byte(l))) }
	own := func(l string) string { return changed(l, `"who":"a\u003cb"`, `"who":"mallory"`) }
	whole := func(last int) string {
		return strings.ReplaceAll("st-mary  gw1  epoch e1: records 1 to N, N of them here: whole\n", "N", string(rune('0'+last)))
	}
	// rechained is the trail with record 5 changed and all after it made anew: who
	// has the whole file can do that, and must have it in each copy
	rechained := slices.Clone(a)
	rechained[4] = own(a[4])
	for i := 5; i < 9; i++ {
		rechained[i] = changed(a[i], event.Chain([]byte(a[i-1])), event.Chain([]byte(rechained[i-1])))
	}
	tests := []struct {
		name  string
		args  []string
		lines []string
		out   string
		errs  string // of exit 1
	}{
		{"whole", nil, a, whole(9), ""},
		{"in any order, twice, late, among others", nil,
			[]string{late(a[2]), a[1], a[1], b[2], `{"gw":"gw1","answer":{"v":1}}`, a[0], "", a[2], b[0], `{"v":1,"class":"alert","seq":3}`, late(b[1])},
			"st-mary  gw1  epoch e1: records 1 to 3, 3 of them here: whole\nst-mary  gw2  epoch e1: records 1 to 3, 3 of them here: whole\n", ""},
		{"a hole", nil, slices.Concat(a[:2], a[4:]), "st-mary  gw1  epoch e1: records 1 to 9, 7 of them here: NOT WHOLE\n  missing 3 to 4\n", "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"no beginning", nil, a[3:], "st-mary  gw1  epoch e1: records 4 to 9, 6 of them here: NOT WHOLE\n  missing 1 to 3\n", "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"no beginning, as it should be", []string{"--partial"}, a[3:], "st-mary  gw1  epoch e1: records 4 to 9, 6 of them here: whole\n", ""},
		{"changed", nil, slices.Concat(a[:4], []string{own(a[4])}, a[5:]),
			"st-mary  gw1  epoch e1: records 1 to 9, 9 of them here: NOT WHOLE\n  record 6 does not follow the one before: one of the two was changed\n", "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"the first changed its chain", nil, slices.Concat([]string{changed(a[0], event.ZeroPrev, event.Chain(nil))}, a[1:2]),
			"st-mary  gw1  epoch e1: records 1 to 2, 2 of them here: NOT WHOLE\n  record 1 does not follow the one before: one of the two was changed\n  record 2 does not follow the one before: one of the two was changed\n", "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"put in beside", nil, slices.Concat([]string{own(a[4])}, a),
			"st-mary  gw1  epoch e1: records 1 to 9, 9 of them here: NOT WHOLE\n  record 5 at FILE:1: forged, or another of the same number is\n", "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"another end", nil, append(slices.Clone(a), own(a[8])),
			"st-mary  gw1  epoch e1: records 1 to 9, 9 of them here: NOT WHOLE\n  record 9 at FILE:9: forged, or another of the same number is\n  record 9 at FILE:10: forged, or another of the same number is\n", "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"made anew from 5 on", nil, slices.Concat(a, rechained),
			"st-mary  gw1  epoch e1: records 1 to 9, 9 of them here: NOT WHOLE\n" + both(5), "wardctl: the audit trail of gw1, epoch e1, is not whole\n"},
		{"in another order of keys", nil, []string{changed(a[0], `{"v":1,"site":"st-mary",`, `{"site":"st-mary","v":1,`)}, "",
			"wardctl: FILE:1: audit record 1 of gw1: not as a gateway writes it\n"},
		{"a key twice", nil, []string{changed(a[0], `"seq":1`, `"seq":2,"seq":1`), a[0]}, "st-mary  gw1  epoch e1: records 1 to 1, 1 of them here: whole\n",
			"wardctl: FILE:1: audit record 1 of gw1: not as a gateway writes it\n"},
		{"no JSON", nil, []string{a[0], `{"class":"audit"`}, "st-mary  gw1  epoch e1: records 1 to 1, 1 of them here: whole\n", "wardctl: FILE:2: no JSON\n"},
		{"nothing", nil, []string{`{"class":"alert"}`}, "", "wardctl: FILE: no audit record in it\n"},
		{"number 0", nil, []string{changed(a[0], `"seq":1`, `"seq":0`)}, "", "wardctl: FILE:1: audit record 0 of gw1: not as a gateway writes it\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trail.jsonl")
			if err := os.WriteFile(file, []byte(strings.Join(tt.lines, "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			code := run(slices.Concat([]string{"audit", "verify", file}, tt.args), nil, &out, &errs)
			if want := map[bool]int{true: 0, false: 1}[tt.errs == ""]; code != want {
				t.Errorf("exit %d, want %d", code, want)
			}
			if diff := cmp.Diff([]string{tt.out, tt.errs}, []string{strings.ReplaceAll(out.String(), file, "FILE"), strings.ReplaceAll(errs.String(), file, "FILE")}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// both are the lines of text for two versions of the records from to 9, where a
// file holds one whole trail behind the other.
func both(from int) (out string) {
	for n := from; n <= 9; n++ {
		for _, at := range []int{n, n + 9} {
			out += fmt.Sprintf("  record %d at FILE:%d: forged, or another of the same number is\n", n, at)
		}
	}
	return out
}

func TestAuditVerifyJSON(t *testing.T) {
	a := newTrail(t, "gw1", 6)
	file := filepath.Join(t.TempDir(), "trail.jsonl")
	lines := append(slices.Delete(slices.Clone(a), 2, 3), changed(a[4], `"seconds":5`, `"seconds":6`))
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run([]string{"audit", "verify", "--json", file}, nil, &out, &errs); code != 1 {
		t.Errorf("exit %d", code)
	}
	want := `{"site":"st-mary","gw":"gw1","epoch":"e1","first":1,"last":6,"records":5,"missing":[[3,3]],"breaks":[],"forged":[{"seq":5,"at":"FILE:6"}],"whole":false}` + "\n"
	if diff := cmp.Diff(want, strings.ReplaceAll(out.String(), file, "FILE")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, args := range [][]string{{"audit", "verify"}, {"audit"}, {"audit", "forge"}} {
		if code := run(args, nil, &out, &errs); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	errs.Reset()
	if code := run([]string{"audit", "verify", "none.jsonl"}, nil, &out, &errs); code != 1 || !strings.Contains(errs.String(), "none.jsonl: no such file") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
}
