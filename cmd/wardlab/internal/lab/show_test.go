package lab

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
)

func TestCut(t *testing.T) {
	if got := cut(strings.Repeat("x", 79)); len(got) != 79 {
		t.Errorf("79 columns became %d", len(got))
	}
	if got := cut(strings.Repeat("x", 80)); len(got) != 79 || !strings.HasSuffix(got, "~") {
		t.Errorf("80 columns became %d: %q", len(got), got)
	}
	if got := cut("x   "); got != "x" {
		t.Errorf("blanks stay: %q", got)
	}
}

func TestWrap(t *testing.T) {
	got := wrap("  - ", "    ", strings.Repeat("word ", 40))
	for l := range strings.SplitSeq(strings.TrimRight(got, "\n"), "\n") {
		if len(l) > width {
			t.Errorf("line of %d columns: %q", len(l), l)
		}
	}
	if n := strings.Count(got, "word"); n != 40 {
		t.Errorf("%d words, want 40", n)
	}
}

// A summary for every kind of evidence stays within the terminal's width.
func TestSummaryWidth(t *testing.T) {
	e := verdict.Evidence{Agent: true, Mode: verdict.Enforce, Roles: map[cast.Part]verdict.Role{cast.Pump: {Role: "infusion-pump-lvp", Confidence: "confirmed"}}}
	for _, p := range cast.Parts() {
		e.Pairs = append(e.Pairs, verdict.Pair{From: p, To: cast.Central, Sent: 123456, Received: 1, Group: p == cast.Monitor})
		for _, s := range []string{"tcp/21", "tcp/445", "udp/24105", "icmp"} {
			e.Attempts = append(e.Attempts, sim.Attempt{From: cast.Intruder, To: p, As: sim.AsPumpServer, Service: s, Outcome: sim.Refused})
		}
	}
	e.Arrivals = map[cast.Part]map[string]uint64{cast.Pump: {"tcp/23": 4, "icmp": 2}}
	e.Claims = map[cast.Part]uint64{cast.Pump: 3}
	e.Outbox = []verdict.Outbox{{Class: "telemetry", Epoch: "e", Received: 9, Last: 10, Holes: 1, Missing: []uint64{4}}}
	s := summarise(cast.New(cast.DefaultSeed), "enforce", e)
	s.Memory = 1 << 40
	s.Kernel = map[string]uint64{"denied": 4}
	var b strings.Builder
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for l := range strings.SplitSeq(b.String(), "\n") {
		if len(l) > width {
			t.Errorf("line of %d columns: %q", len(l), l)
		}
	}
	if s.Passed || !strings.Contains(b.String(), "FAILED") {
		t.Error("a bad run passes")
	}
	for _, want := range []string{"neither sees nor", "4 packets dropped by rule: denied 4", "telemetry  9 events received, highest 10, 1 missing"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("summary lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := s.WriteJSON(&b); err != nil || !strings.Contains(b.String(), `"passed": false`) {
		t.Errorf("JSON %v: %.80s", err, b.String())
	}
}

func TestTries(t *testing.T) {
	got := tries([]sim.Attempt{
		{From: cast.Intruder, To: cast.Pump, As: sim.AsItself, Service: "tcp/23", Outcome: sim.Silent},
		{From: cast.Intruder, To: cast.Pump, As: sim.AsPrinter, Service: "tcp/23", Outcome: sim.Answered},
		{From: cast.Intruder, To: cast.Pump, As: sim.AsItself, Service: "tcp/445", Outcome: sim.Silent},
	})
	want := []string{"intruder -> pump denied: tcp/23,445", "intruder as printer's mac -> pump answered: tcp/23"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestOptionsCheck(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{For: 5e9, Mode: "enforce"}, "--for 5s: the intruder alone needs 11s, a run at least 15s"},
		{Options{For: 30e9, Mode: "x"}, `--mode "x": want enforce, stage or observe`},
		{Options{For: 30e9, Mode: "observe", Console: true, JSON: true}, "--console and --json both want the terminal"},
		{Options{For: 30e9, Mode: "observe", Rules: "/nowhere"}, "--rules /nowhere: no such folder"},
	} {
		if err := tt.o.Check(); err == nil || err.Error() != tt.want {
			t.Errorf("Check(%+v) = %v, want %s", tt.o, err, tt.want)
		}
	}
	ok := Options{For: 30e9, Mode: "enforce"}
	if err := ok.Check(); err != nil {
		t.Error(err)
	}
}
