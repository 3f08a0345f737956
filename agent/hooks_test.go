package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/nac"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// askingConfig has two hooks, programs that write down what they are asked; the
// first touches all behind the gateway.
const askingConfig = `[[nac.hook]]
name = "uplink"
kind = "exec"
reach = "ward"
program = ["/bin/sh", "-c", "(echo uplink; cat) >> %[1]s"]
[[nac.hook]]
name = "switch"
kind = "exec"
reach = "device"
program = ["/bin/sh", "-c", "cat >> %[1]s"]
`

func intruderMAC() [6]byte { return [6]byte{0x00, 0x00, 0x5e, 0x00, 0x53, 0x99} }

// talks has a host knock at a server for a while.
func (g *gateway) talks(d time.Duration) {
	g.t.Helper()
	for range d / time.Second {
		syn := hosttest.IPv4("10.40.122.99", "10.40.122.10", 6, 0, hosttest.TCP(40000, 445, 2))
		g.host.Ports.Inject("w2", platform.Ingress, hosttest.Ethernet([6]byte{0, 0x11, 0x22, 0, 0, 0x66}, intruderMAC(), 0x0800, syn))
		g.wait(time.Second)
	}
}

// A quarantine goes to the network outside as well: the whole agent asks the hook
// that may touch nobody else, sees on the wire what came of it, keeps that over a
// restart, and has it undone on release.
func TestHooksAreAsked(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		asked := filepath.Join(g.dir, "asked")
		g.provision(s)
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), g.provisioned(fmt.Sprintf(askingConfig, asked)))
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.talks(10 * time.Second)
		intruder, pump := device.IDOf(intruderMAC()), device.IDOf(pumpMAC())
		if a := g.obeyed(s, signed.Quarantine{Device: string(pump), Seconds: 600}, "anna"); a.Reason != "interlock" {
			t.Errorf("quarantine of the pump: %+v", a)
		}
		if a := g.obeyed(s, signed.Quarantine{Device: string(intruder), Seconds: 3600}, "anna"); a.State != command.Succeeded {
			t.Fatalf("quarantine of the intruder: %+v", a)
		}
		// It is off the network now, and says nothing.
		g.wait(2 * time.Minute)
		g.stop()
		g.start()
		g.wait(2 * time.Minute)
		actions := func() (out []string) {
			t.Helper()
			text, err := os.ReadFile(asked)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
				var m struct{ Action, MAC string }
				if err := json.Unmarshal([]byte(line), &m); err != nil {
					t.Fatalf("asked %q: %v", line, err)
				}
				out = append(out, m.Action+" "+m.MAC)
			}
			return out
		}
		if diff := cmp.Diff([]string{"apply 00:00:5e:00:53:99"}, actions()); diff != "" {
			t.Errorf("asked before the release (-want +got):\n%s", diff)
		}
		if a := g.obeyed(s, signed.Release{Device: string(intruder)}, "dora"); a.State != command.Succeeded {
			t.Fatalf("release: %+v", a)
		}
		if diff := cmp.Diff([]string{"apply 00:00:5e:00:53:99", "undo 00:00:5e:00:53:99"}, actions()); diff != "" {
			t.Errorf("asked after the release (-want +got):\n%s", diff)
		}
		g.complete()
		var told []string
		for _, e := range g.broker.events(t) {
			var n event.NAC
			if e.Kind == n.Kind() {
				if err := json.Unmarshal(e.Body, &n); err != nil {
					t.Fatal(err)
				}
				told = append(told, strings.TrimSpace(n.Hook+" "+n.State+" "+n.Effect))
			}
		}
		want := []string{"uplink skipped", "switch applying", "switch applied", "switch applied confirmed", "switch undoing confirmed", "switch undone confirmed"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if got := g.agent.nac.Status(); len(got) > 0 {
			t.Errorf("still owed: %+v", got)
		}
	})
}

// A device that talks on although the hook says that it is off the network is
// said; broken glass has the hook undone.
func TestHookWithoutEffect(t *testing.T) {
	for _, glass := range []signed.BreakGlass{{Scope: signed.ScopeDevice, Name: string(device.IDOf(intruderMAC()))}, {Scope: signed.ScopePort, Name: "w2"}, {Scope: signed.ScopePort, Name: "up0"}} {
		t.Run(glass.Scope+" "+glass.Name, func(t *testing.T) { hookWithoutEffect(t, glass) })
	}
}

func hookWithoutEffect(t *testing.T, glass signed.BreakGlass) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		asked := filepath.Join(g.dir, "asked")
		g.provision(s)
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), g.provisioned(fmt.Sprintf(askingConfig, asked)))
		g.start()
		g.talks(10 * time.Second)
		intruder := device.IDOf(intruderMAC())
		if a := g.obeyed(s, signed.Quarantine{Device: string(intruder), Seconds: 3600}, "anna"); a.State != command.Succeeded {
			t.Fatalf("quarantine of the intruder: %+v", a)
		}
		g.talks(time.Minute)
		if diff := cmp.Diff([]string{"nac.not-effective:" + string(intruder)}, g.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		if a := g.obeyed(s, signed.BreakGlass{Scope: glass.Scope, Name: glass.Name, Seconds: 60}, "dora"); a.State != command.Succeeded {
			t.Fatalf("break-glass: %+v", a)
		}
		g.wait(2 * time.Minute)
		if got := g.agent.nac.Status(); len(got) > 0 {
			t.Errorf("still owed: %+v", got)
		}
	})
}

// A wall clock that is set back makes no device talk that is silent: no further
// hook is asked for it.
func TestClockSetBackUnderAHook(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		asked := filepath.Join(g.dir, "asked")
		g.provision(s)
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), g.provisioned(fmt.Sprintf(askingConfig, asked)))
		g.start()
		g.talks(10 * time.Second)
		intruder := device.IDOf(intruderMAC())
		if a := g.obeyed(s, signed.Quarantine{Device: string(intruder), Seconds: 3600}, "anna"); a.State != command.Succeeded {
			t.Fatalf("quarantine of the intruder: %+v", a)
		}
		g.wait(2 * time.Minute)
		g.host.Clock.Jump(-20 * time.Minute)
		g.wait(2 * time.Minute)
		for _, c := range g.agent.nac.Status() {
			for _, o := range c.Obligations {
				if o.Effect == nac.NotEffective {
					t.Errorf("%s: %s, although the device is silent", o.Hook, o.Effect)
				}
			}
		}
	})
}
