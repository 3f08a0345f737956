package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// The devices of the recorded ward, cmd/wardctl/testdata/ward.
func pumpMAC() [6]byte    { return [6]byte{0x00, 0x12, 0x21, 0x64, 0x5e, 0xd0} }
func monitorMAC() [6]byte { return [6]byte{0x00, 0x09, 0xfb, 0x3f, 0xe9, 0x73} }

const enforced = `version = 1
[peers.pump-server]
addresses = ["10.40.122.214"]
clinical  = true
[[segment]]
name  = "infusion"
roles = ["infusion-pump-lvp"]
mode  = "enforce"
allow = [{ to = "pump-server", services = ["tcp/2575"] }]
[default]
mode = "observe"
`

// What runs, in the order in which it ends.
func TestTasks(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.start()
		want := []string{"signs", "denies", "capture w1", "capture w2", "console", "inventory", "enforce", "nac", "vitals", "outbox", "store", "uplink"}
		if diff := cmp.Diff(want, g.agent.Tasks()); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}
	})
}

// Without a broker, without a console: fewer tasks, and nothing waits for them.
func TestTasksOfABareGateway(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.write(filepath.Join(g.dir, "wardkeeper.toml"),
			"[ports]\nuplink = \"up0\"\nward = [\"w1\"]\n[uplink]\nurl = \"\"\n[console]\ndevice = \"\"\n[policy]\nfile = \"\"\n[outbox]\ncap_mib = 1\n[state]\ndir = '"+g.state()+"'\n")
		g.start()
		want := []string{"signs", "denies", "capture w1", "inventory", "enforce", "nac", "vitals", "outbox", "store"}
		if diff := cmp.Diff(want, g.agent.Tasks()); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}
	})
}

// Bad input ends in a text that says what and where, before anything runs.
func TestCheckSaysWhatIsWrong(t *testing.T) {
	segment := func(roles, mode, allow string) string {
		return "version = 1\n[[segment]]\nname = \"s\"\nroles = [\"" + roles + "\"]\nmode = \"" + mode + "\"\nallow = [" + allow + "]\n"
	}
	for _, c := range []struct {
		name, policy string
		real         bool // lab = false
		change       func(g *gateway)
		want         []string // lines; DIR stands for the gateway's folder
	}{
		{name: "nothing", policy: enforced},
		{name: "missing port", change: func(g *gateway) { g.host.Ports.Remove("w2") },
			want: []string{`port w2: no such port (there are: up0, w1)`}},
		{name: "no uplink, no ward port", change: func(g *gateway) {
			g.host.Ports.Remove("up0")
			g.host.Ports.Remove("w1")
		}, want: []string{`port up0: no such port (there are: w2)`, `port w1: no such port (there are: w2)`}},
		{name: "unknown role", policy: segment("infusion-pump-lpv", "stage", ""),
			want: []string{`DIR/policy.toml:4: segment "s": unknown role "infusion-pump-lpv" (nearest: "infusion-pump-lvp")`}},
		{name: "unknown peer", policy: segment("printer", "stage", `{ to = "dsn", services = ["udp/53"] }`) + "[peers.dns]\naddresses = [\"10.0.0.1\"]\n",
			want: []string{`DIR/policy.toml:6: segment "s": to = "dsn": no peer, segment or group of that name (nearest: "dns")`}},
		{name: "enforce in a real ward", policy: enforced, real: true,
			want: []string{`segment "infusion": mode "enforce" is refused: until the safety suite exists it is accepted only in a virtual ward (lab = true); mode "stage" counts and reports what would be denied`}},
		{name: "stage in a real ward", policy: segment("printer", "stage", ""), real: true},
		{name: "lab on hardware", change: func(g *gateway) {
			g.host.Ports.Change("w2", func(l *platform.Link) { l.Bus = "pci" })
		}, want: []string{`lab = true is refused: port "w2" is hardware (/sys/class/net/w2/device is on the pci bus); a virtual ward has only virtual ports`}},
		{name: "lab on virtio", change: func(g *gateway) {
			g.host.Ports.Change("w2", func(l *platform.Link) { l.Bus = "virtio" })
		}},
		{name: "two things at once", policy: enforced, real: true, change: func(g *gateway) { g.host.Ports.Remove("w1") },
			want: []string{`port w1: no such port (there are: up0, w2)`,
				`segment "infusion": mode "enforce" is refused: until the safety suite exists it is accepted only in a virtual ward (lab = true); mode "stage" counts and reports what would be denied`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inGateway(t, c.policy, func(g *gateway) {
				g.configure(!c.real, c.policy)
				if c.change != nil {
					c.change(g)
				}
				var said strings.Builder
				err := Check(g.config(), g.platform(), &said)
				var got []string
				if err != nil {
					got = strings.Split(strings.ReplaceAll(err.Error(), g.dir, "DIR"), "\n")
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s\nsaid:\n%s", diff, said.String())
				}
				if _, err := os.Stat(g.state()); err == nil {
					t.Error("check made the state folder")
				}
			})
		})
	}
}

// A policy that cannot be read ends New with that text, whatever else is there:
// the supervisor must not start it again and again.
func TestNewRefusesABrokenPolicy(t *testing.T) {
	inGateway(t, "version = 1\n[[segment]]\nname = \"s\"\nroles = [\"camera\"]\nmode = \"enforced\"\n", func(g *gateway) {
		_, err := New(context.Background(), g.config(), g.platform(), slog.New(slog.DiscardHandler), Build{}, Supervisor{})
		if err == nil || !strings.Contains(err.Error(), `policy.toml:5: segment "s": mode "enforced"`) {
			t.Errorf("error %v", err)
		}
	})
}

// A policy with enforce on a real ward is not obeyed but staged, which is said;
// the same in a lab drops the packet.
func TestEnforceOnARealWardIsStaged(t *testing.T) {
	for _, lab := range []bool{false, true} {
		t.Run(fmt.Sprintf("lab %v", lab), func(t *testing.T) {
			inGateway(t, enforced, func(g *gateway) {
				g.configure(lab, enforced)
				g.start()
				g.replay("w1", "w1.pcap", pumpMAC())
				g.wait(10 * time.Second)
				if got := g.reachesPump(); got == lab {
					t.Errorf("telnet from another port reaches the pump: %v", got)
				}
				if lab {
					g.shows("show policy", "1 enforce", "segment infusion: enforce, 1 device")
					return
				}
				g.shows("show policy", "0 enforce, 1 stage", `mode "enforce" is refused`, "segment infusion: stage, 1 device")
				events := g.broker.of(t, "policy")
				if len(events) == 0 || !strings.Contains(events[0], `"result":"refused"`) {
					t.Errorf("policy events %q", events)
				}
			})
		})
	}
}
