package agent

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// TestBreakGlassByCommand: open within a second, audited with who signed, and
// closed again by the kernel where the agent ends right after.
func TestBreakGlassByCommand(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		if a := g.obeyed(s, signed.Policy{TOML: obeyPolicy}, "berta"); a.State != command.Succeeded || g.reachesPump() {
			t.Fatalf("policy: %+v, a stranger reaches the pump: %v", a, g.reachesPump())
		}
		id, text := s.sign(signed.BreakGlass{Scope: signed.ScopeGateway, Seconds: 600}, "dora")
		g.broker.send(t, "wardkeeper/v1/s1/gw1/down/cmd/"+id, text)
		g.wait(time.Second)
		opened := time.Now()
		if !g.reachesPump() {
			t.Error("it is not open after a second")
		}
		g.stop()
		g.wait(time.Until(opened.Add(9*time.Minute + 50*time.Second)))
		if !g.reachesPump() {
			t.Error("it closed with the agent")
		}
		g.wait(10 * time.Second)
		if g.reachesPump() {
			t.Error("it did not close by itself")
		}
	})
}

// TestInUseAtAStart: where the inventory was lost, nobody knows yet who hangs on
// a pump: only who stands at the gateway may start it anew.
func TestInUseAtAStart(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		g.start()
		try := func(when, want string) {
			t.Helper()
			if a := g.obeyed(s, signed.Reboot{}, "anna"); a.State != command.Rejected || !strings.HasPrefix(a.Text, want) {
				t.Errorf("%s: %+v, want %s", when, a, want)
			}
		}
		const nobody = "nothing here starts the box anew" // it would be
		try("a new database", "in use: the devices here are not all known yet")
		g.wait(unsure)
		try("long after", nobody)
		g.stop()
		g.start()
		try("the database is back", nobody)
	})
}

// TestReleaseThatTheKernelRefuses: what the network outside was asked for is
// undone all the same.
func TestReleaseThatTheKernelRefuses(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), g.provisioned(fmt.Sprintf(askingConfig, filepath.Join(g.dir, "asked"))))
		g.start()
		g.talks(10 * time.Second)
		intruder := string(device.IDOf(intruderMAC()))
		if a := g.obeyed(s, signed.Quarantine{Device: intruder, Seconds: 3600}, "anna"); a.State != command.Succeeded || len(g.agent.nac.Status()) != 1 {
			t.Fatalf("quarantine: %+v, outside %+v", a, g.agent.nac.Status())
		}
		g.host.Firewall.Inject(slices.Repeat([]fake.Fault{fake.Refused}, 1000)...)
		id, text := s.sign(signed.Release{Device: intruder}, "dora")
		g.broker.send(t, "wardkeeper/v1/s1/gw1/down/cmd/"+id, text)
		g.wait(time.Minute)
		if a := g.answer(id); a.State != command.Failed {
			t.Errorf("release: %+v", a)
		}
		if got := g.agent.nac.Status(); len(got) > 0 {
			t.Errorf("still asked for outside: %+v", got)
		}
	})
}
