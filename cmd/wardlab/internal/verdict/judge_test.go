package verdict

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
)

// good is a run with nothing to blame.
func good() Evidence {
	e := Evidence{
		Agent: true,
		Mode:  Enforce,
		Roles: map[cast.Part]Role{
			cast.Pump:       {"infusion-pump-lvp", Confirmed},
			cast.Monitor:    {"patient-monitor", Confirmed},
			cast.Ultrasound: {"ultrasound", Confirmed},
			cast.Printer:    {"printer", Confirmed},
		},
		Attempts: []sim.Attempt{
			{From: cast.Intruder, To: cast.Pump, As: sim.AsItself, Service: "tcp/23", Outcome: sim.Silent},
			{From: cast.Intruder, To: cast.Pump, As: sim.AsItself, Service: "icmp", Outcome: sim.Silent},
			{From: cast.Intruder, To: cast.Printer, As: sim.AsItself, Service: "tcp/631", Outcome: sim.Answered},
			{From: cast.Intruder, To: cast.Monitor, As: sim.AsPumpServer, Service: "tcp/23", Outcome: sim.Silent},
			{From: cast.Intruder, To: cast.Monitor, As: sim.AsPrinter, Service: "tcp/445", Outcome: sim.Silent},
			{From: cast.Pump, To: cast.Infra, As: sim.AsItself, Service: "tcp/80", Outcome: sim.Silent},
		},
		Arrivals: map[cast.Part]map[string]uint64{cast.Printer: {"tcp/631": 5}},
		Pairs:    []Pair{{From: cast.Pump, To: cast.PumpServer, Sent: 10, Received: 10}},
		Answered: map[Exchange]uint64{},
		Reading:  "ring",
		Capture:  map[string]string{"w1": "ring", "w2": "ring"},
		Denies: []Deny{
			{cast.Pump, cast.Intruder, "tcp/23", Denied},
			{cast.Pump, cast.Intruder, "icmp/echo", Denied},
			{cast.Intruder, cast.PumpServer, "arp", Claimed},
			{cast.Monitor, cast.Printer, "tcp/445", Denied},
			{cast.Pump, cast.Infra, "tcp/80", Denied},
		},
		Outbox: []Outbox{{Class: "alert", Epoch: "e1", Received: 5, Last: 5}},
	}
	for _, x := range Required() {
		e.Answered[x] = 1
	}
	return e
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name string
		harm func(*Evidence)
		want []string
	}{
		{"good", func(*Evidence) {}, nil},
		{"no agent", func(e *Evidence) { e.Agent = false },
			[]string{"no agent ran: nobody observed, enforced or reported"}},
		{"no agent, intruder through", func(e *Evidence) {
			e.Agent = false
			e.Attempts[0].Outcome = sim.Answered
			e.Arrivals[cast.Pump] = map[string]uint64{"tcp/23": 4}
		}, []string{
			"no agent ran: nobody observed, enforced or reported",
			"intruder reached pump: answered tcp/23",
			"4 packets of the intruder reached pump: tcp/23"}},
		{"refused is reached", func(e *Evidence) { e.Attempts[0].Outcome = sim.Refused },
			[]string{"intruder reached pump: refused tcp/23"}},
		{"allowed but silent", func(e *Evidence) { e.Attempts[2].Outcome = sim.Silent },
			[]string{"intruder to printer tcp/631 is allowed but was silent"}},
		{"nothing tried", func(e *Evidence) { e.Attempts = nil },
			[]string{"the intruder tried nothing"}},
		{"printer leaks another service", func(e *Evidence) { e.Arrivals[cast.Printer]["tcp/445"] = 1 },
			[]string{"1 packets of the intruder reached printer: tcp/445"}},
		{"uplink arrivals are no leak", func(e *Evidence) { e.Arrivals[cast.Infra] = map[string]uint64{"udp/67": 2} }, nil},
		{"the ring was not in use", func(e *Evidence) { e.Capture["w2"] = "recvmmsg" },
			[]string{`port w2 was captured by "recvmmsg", want "ring"`}},
		{"nobody said how", func(e *Evidence) { e.Capture = nil }, []string{"the agent never said how it captures"}},
		{"claim passed", func(e *Evidence) { e.Claims = map[cast.Part]uint64{cast.Pump: 2, cast.PC: 9} },
			[]string{"2 forged address claims reached pump"}},
		{"role", func(e *Evidence) {
			e.Roles[cast.Pump] = Role{"infusion-pump-lvp", "likely"}
			delete(e.Roles, cast.Printer)
		},
			[]string{
				"pump: role infusion-pump-lvp (likely), want infusion-pump-lvp (confirmed)",
				"printer: no role was reported, want printer"}},
		{"pc is a pc", func(e *Evidence) { e.Roles[cast.PC] = Role{"workstation-pc", Confirmed} }, nil},
		{"pc as a pump", func(e *Evidence) { e.Roles[cast.Intruder] = Role{"infusion-pump-lvp", Confirmed} },
			[]string{"intruder: role infusion-pump-lvp (confirmed), want workstation-pc or unknown"}},
		{"console", func(e *Evidence) { e.Console = "mute" }, []string{"the console: mute"}},
		{"lab at fault", func(e *Evidence) { e.Faults = []string{"pacs: x"} }, []string{"the lab is at fault: pacs: x"}},
		{"observe", func(e *Evidence) { e.Mode = "observe" }, []string{"the policy's mode is observe: it denies nothing"}},
		{"not in place", func(e *Evidence) { e.NotInPlace = "the pump still answered" },
			[]string{"enforcement was not in place when the intruder started: the pump still answered"}},
		{"lost", func(e *Evidence) { e.Pairs[0].Received = 8 },
			[]string{"clinical packets lost: pump to pump-server, 2 of 10"}},
		{"mute", func(e *Evidence) { e.Pairs[0] = Pair{From: cast.Monitor, To: cast.Central, Group: true} },
			[]string{"monitor sent nothing to central (broadcast)"}},
		{"nothing counted", func(e *Evidence) { e.Pairs = nil },
			[]string{"no clinical traffic was counted"}},
		{"work unanswered", func(e *Evidence) { delete(e.Answered, Required()[4]) },
			[]string{"ultrasound to pacs tcp/104 was never answered"}},
		{"event missing", func(e *Evidence) { e.Denies = e.Denies[1:] },
			[]string{"no deny event for intruder as itself to pump tcp/23"}},
		{"would-deny is no deny", func(e *Evidence) { e.Denies[0].Verdict = "would-deny" },
			[]string{"no deny event for intruder as itself to pump tcp/23"}},
		{"claim event missing", func(e *Evidence) { e.Denies[2].Peer = cast.Printer },
			[]string{"no deny event for intruder as pump-server's address to monitor tcp/23"}},
		{"many events missing", func(e *Evidence) {
			e.Denies = nil
			e.Attempts = append(e.Attempts, e.Attempts[0], e.Attempts[0])
		}, []string{
			"no deny event for intruder as itself to pump tcp/23",
			"no deny event for intruder as itself to pump icmp",
			"no deny event for intruder as pump-server's address to monitor tcp/23",
			"no deny event for intruder as printer's mac to monitor tcp/445",
			"no deny event for pump as itself to dns tcp/80",
			"and 2 more without a deny event"}},
		{"hole", func(e *Evidence) { e.Outbox[0].Holes, e.Outbox[0].Missing = 1, []uint64{3} },
			[]string{"1 of 5 alert events never reached the subscriber, first [3]"}},
		{"no events", func(e *Evidence) { e.Outbox = nil },
			[]string{"no event reached the broker"}},
		{"broker dropped", func(e *Evidence) { e.Dropped = 2 },
			[]string{"the broker dropped 2 messages"}},
		{"leak", func(e *Evidence) { e.Leaked = []string{"family name on topic up/inventory"} },
			[]string{"patient data left the gateway: family name on topic up/inventory"}},
		{"agent died", func(e *Evidence) { e.AgentEnd = "exit status 2" },
			[]string{"the agent ended by itself: exit status 2"}},
		{"witness", func(e *Evidence) { e.Witness = errors.New("dropped 3") },
			[]string{"the counts are not to be trusted: dropped 3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := good()
			tt.harm(&e)
			if diff := cmp.Diff(tt.want, Judge(e)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBedsideRoles: the devices of a kind of ward are judged as the basic ones,
// and those who say little need not be confirmed.
func TestBedsideRoles(t *testing.T) {
	e := Evidence{Parts: []cast.Part{cast.Ventilator, cast.Glucometer}, Roles: map[cast.Part]Role{
		cast.Ventilator: {"ventilator", Confirmed}, cast.Glucometer: {"poct-meter-dock", Likely}}}
	var got []string
	judge := func() {
		got = nil
		roles(e, func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })
	}
	if judge(); len(got) != 0 {
		t.Errorf("right roles fail: %v", got)
	}
	e.Roles = map[cast.Part]Role{cast.Ventilator: {"ventilator", Likely}}
	want := []string{"ventilator: role ventilator (likely), want ventilator (confirmed)", "glucometer: no role was reported, want poct-meter-dock"}
	if judge(); !slices.Equal(got, want) {
		t.Errorf("reasons %q, want %q", got, want)
	}
}
