package verdict

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
)

func TestCompact(t *testing.T) {
	for _, tt := range []struct {
		in   []string
		want string
	}{
		{nil, ""},
		{[]string{"icmp"}, "icmp"},
		{[]string{"tcp/445", "tcp/23", "icmp", "tcp/445", "udp fragment", "udp/9"}, "icmp tcp/23,445 udp/9 udp fragment"},
	} {
		if got := Compact(tt.in); got != tt.want {
			t.Errorf("Compact(%v) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestRows(t *testing.T) {
	at := func(from, to cast.Part, as sim.Guise, service string, o sim.Outcome) sim.Attempt {
		return sim.Attempt{From: from, To: to, As: as, Service: service, Outcome: o}
	}
	got := Rows([]sim.Attempt{
		at(cast.Intruder, cast.Pump, sim.AsPrinter, "tcp/23", sim.Silent),
		at(cast.Intruder, cast.Printer, sim.AsItself, "tcp/631", sim.Answered),
		at(cast.Intruder, cast.Pump, sim.AsItself, "tcp/445", sim.Silent),
		at(cast.Intruder, cast.Pump, sim.AsItself, "tcp/23", sim.Silent),
		at(cast.Intruder, cast.Pump, sim.AsItself, "tcp/80", sim.Refused),
	})
	want := []Row{
		{From: cast.Intruder, To: cast.Pump, As: sim.AsItself, Outcome: sim.Silent, Services: "tcp/23,445"},
		{From: cast.Intruder, To: cast.Pump, As: sim.AsItself, Outcome: sim.Refused, Services: "tcp/80"},
		{From: cast.Intruder, To: cast.Printer, As: sim.AsItself, Outcome: sim.Answered, Allowed: true, Services: "tcp/631"},
		{From: cast.Intruder, To: cast.Pump, As: sim.AsPrinter, Outcome: sim.Silent, Services: "tcp/23"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if got[3].Who() != "intruder as printer's mac" || got[0].Who() != "intruder" {
		t.Errorf("names %q, %q", got[3].Who(), got[0].Who())
	}
}
