package sim

import (
	"testing"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

func TestAllowed(t *testing.T) {
	for _, tt := range []struct {
		a    Attempt
		want bool
	}{
		{Attempt{From: cast.Intruder, To: cast.Printer, As: AsItself, Service: "tcp/631"}, true},
		{Attempt{From: cast.Intruder, To: cast.Printer, As: AsItself, Service: "tcp/445"}, false},
		{Attempt{From: cast.Intruder, To: cast.Pump, As: AsItself, Service: "tcp/631"}, false},
		{Attempt{From: cast.Intruder, To: cast.Printer, As: AsPumpServer, Service: "tcp/631"}, false},
	} {
		if got := tt.a.Allowed(); got != tt.want {
			t.Errorf("%+v allowed: %v, want %v", tt.a, got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	for g, want := range map[Guise]string{0: "invalid", AsItself: "itself", AsPumpServer: "pump-server's address", AsPrinter: "printer's mac"} {
		if g.String() != want {
			t.Errorf("Guise(%d) = %q, want %q", int(g), g, want)
		}
	}
	for o, want := range map[Outcome]string{0: "invalid", Silent: "silent", Refused: "refused", Answered: "answered"} {
		if o.String() != want {
			t.Errorf("Outcome(%d) = %q, want %q", int(o), o, want)
		}
	}
}
