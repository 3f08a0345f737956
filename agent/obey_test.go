package agent

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// signers are the people of a site: anna commands, berta makes policy and the
// configuration, dora is a clinical engineer.
type signers struct {
	t    *testing.T
	keys map[string]ed25519.PrivateKey
	root []byte
	seq  uint64
}

func newSigners(t *testing.T) *signers {
	s := &signers{t: t, keys: map[string]ed25519.PrivateKey{}}
	args := signed.RootArgs{V: 1, Version: 1, Roles: map[signed.Role]signed.Quorum{}}
	for name, roles := range map[string][]signed.Role{
		"anna": {signed.RoleRoot, signed.RoleCommand}, "berta": {signed.RolePolicy, signed.RoleConfig, signed.RoleDevices, signed.RoleQuarantine}, "dora": {signed.RoleClinical},
	} {
		seed := sha256.Sum256([]byte(name))
		key := ed25519.NewKeyFromSeed(seed[:])
		public := key.Public().(ed25519.PublicKey)
		s.keys[name] = key
		args.Keys = append(args.Keys, signed.RootKey{KeyID: signed.KeyID(public), Public: public, Name: name})
		for _, r := range roles {
			args.Roles[r] = signed.Quorum{KeyIDs: []string{signed.KeyID(public)}, Threshold: 1}
		}
	}
	slices.SortFunc(args.Keys, func(a, b signed.RootKey) int { return strings.Compare(a.KeyID, b.KeyID) })
	_, s.root = s.sign(args, "anna")
	return s
}

// sign signs a statement for gw1 that is good for ten minutes, and says its id.
func (s *signers) sign(args signed.Args, by ...string) (id string, text []byte) {
	s.t.Helper()
	s.seq++
	now := time.Now().UTC()
	st := signed.Statement{V: 1, ID: "test-" + string(rune('a'+s.seq/26)) + string(rune('a'+s.seq%26)) + "00", Site: "s1", Target: []string{"gw1"}, Seq: s.seq,
		NotBefore: now.Format(signed.TimeFormat), Expires: now.Add(10 * time.Minute).Format(signed.TimeFormat), Root: 1, Reason: "test"}
	st, err := st.EncodeArgs(args)
	if err != nil {
		s.t.Fatal(err)
	}
	if st.Kind == signed.KindRoot {
		st.Root, st.Target = 0, []string{"all"}
	}
	var keys []ed25519.PrivateKey
	for _, name := range by {
		keys = append(keys, s.keys[name])
	}
	e, err := signed.Sign(st, keys...)
	if err == nil {
		text, err = e.Encode()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return st.ID, text
}

const obeyPolicy = `version = 7
[peers.server]
addresses = ["10.40.122.10"]
clinical = true
[[segment]]
name = "infusion"
roles = ["infusion-pump-lvp"]
mode = "enforce"
allow = [{ to = "server", services = ["tcp/443", "tcp/2575"] }]
`

// obeyed sends a command and returns its last answer.
func (g *gateway) obeyed(s *signers, args signed.Args, by ...string) command.Answer {
	g.t.Helper()
	id, text := s.sign(args, by...)
	topic := "cmd/" + id
	if _, isPolicy := args.(signed.Policy); isPolicy {
		topic = "desired/policy"
	}
	g.broker.send(g.t, "wardkeeper/v1/s1/gw1/down/"+topic, text)
	g.wait(3 * time.Second)
	return g.answer(id)
}

// answer is the last answer to a statement.
func (g *gateway) answer(id string) (a command.Answer) {
	g.t.Helper()
	topics, payloads := g.broker.payloads(g.t)
	for i, topic := range topics {
		if topic == "wardkeeper/v1/s1/gw1/up/cmd/"+id {
			if err := json.Unmarshal(payloads[i], &a); err != nil {
				g.t.Fatal(err)
			}
		}
	}
	return a
}

// What people signed is obeyed, by the whole agent: from the broker to the rules
// in the kernel, and over a restart.
func TestObeysWhatIsSigned(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		pump := string(device.IDOf(pumpMAC()))

		type row struct{ What, State, Reason string }
		var got []row
		try := func(what string, a command.Answer) command.Answer {
			got = append(got, row{what, string(a.State), a.Reason})
			return a
		}
		try("ping", g.obeyed(s, signed.Ping{}, "anna"))
		try("ping by who may not", g.obeyed(s, signed.Ping{}, "berta"))
		if !g.reachesPump() {
			t.Fatal("the pump is fenced in before there is a policy")
		}
		try("policy", g.obeyed(s, signed.Policy{TOML: obeyPolicy}, "berta"))
		if g.reachesPump() {
			t.Error("telnet reaches the pump under the policy that was sent")
		}
		try("quarantine of the pump", g.obeyed(s, signed.Quarantine{Device: pump, Seconds: 600}, "anna"))
		try("explain", g.obeyed(s, signed.Explain{Device: pump}, "anna"))
		try("diagnostics", g.obeyed(s, signed.Diagnostics{}, "anna"))
		try("reboot with the pump in use", g.obeyed(s, signed.Reboot{}, "anna"))
		try("break-glass", g.obeyed(s, signed.BreakGlass{Scope: signed.ScopeGateway, Seconds: 60}, "dora"))
		if !g.reachesPump() {
			t.Error("broken glass does not open the pump")
		}
		g.wait(time.Minute)
		if g.reachesPump() {
			t.Error("broken glass did not close by itself")
		}
		try("role of the pump by one", g.obeyed(s, signed.PinRole{Device: pump, Role: "printer"}, "anna"))

		g.stop()
		g.host.Firewall.FlushRuleset() // a reboot
		g.start()
		if v := g.agent.enforce.Status().Version; v != 7 || g.reachesPump() {
			t.Errorf("policy %d in force after the restart, want 7", v)
		}
		try("policy that is older", g.obeyed(s, signed.Policy{TOML: strings.Replace(obeyPolicy, "version = 7", "version = 6", 1)}, "berta"))

		want := []row{
			{"ping", "succeeded", ""}, {"ping by who may not", "rejected", "wrong-role"}, {"policy", "succeeded", ""},
			{"quarantine of the pump", "rejected", "interlock"}, {"explain", "succeeded", ""}, {"diagnostics", "succeeded", ""},
			{"reboot with the pump in use", "rejected", "not-allowed"}, {"break-glass", "succeeded", ""},
			{"role of the pump by one", "rejected", "interlock"}, {"policy that is older", "succeeded", ""},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		g.complete()
	})
}

// A life-sustaining device is cut off only where two people who may say so name
// it, and one of them reads a code at the gateway; it ends by itself.
func TestInterlock(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		pump := string(device.IDOf(pumpMAC()))
		if a := g.obeyed(s, signed.Policy{TOML: obeyPolicy}, "berta"); a.State != command.Succeeded {
			t.Fatalf("policy: %+v", a)
		}
		if !g.pumpReachesServer() {
			t.Fatal("the pump does not reach its server under the policy")
		}
		code := g.code(pump)
		for _, c := range []struct {
			what string
			args signed.Quarantine
			by   []string
		}{
			{"one person", signed.Quarantine{Device: pump, Seconds: 600, Code: code}, []string{"anna"}},
			{"no clinical engineer", signed.Quarantine{Device: pump, Seconds: 600, Code: code}, []string{"anna", "berta"}},
			{"no code", signed.Quarantine{Device: pump, Seconds: 600}, []string{"anna", "dora"}},
			{"too long", signed.Quarantine{Device: pump, Seconds: 4*3600 + 1, Code: code}, []string{"anna", "dora"}},
			{"another code", signed.Quarantine{Device: pump, Seconds: 600, Code: "2222-2222"}, []string{"anna", "dora"}},
		} {
			if a := g.obeyed(s, c.args, c.by...); a.State != command.Rejected || !g.pumpReachesServer() {
				t.Errorf("%s: %s (%s), pump reaches its server: %v", c.what, a.State, a.Reason, g.pumpReachesServer())
			}
		}
		if a := g.obeyed(s, signed.Quarantine{Device: pump, Seconds: 600, Code: code}, "anna", "dora"); a.State != command.Succeeded || g.pumpReachesServer() {
			t.Errorf("the interlock: %+v, pump reaches its server: %v", a, g.pumpReachesServer())
		}
		g.shows("show quarantine", pump+" for 9m5", "CLINICAL FLOWS TOO", "by      anna, dora", "reason  test", "root of trust, version 1")
		if a := g.obeyed(s, signed.Quarantine{Device: pump, Seconds: 1200, Code: code}, "anna", "dora"); a.State != command.Rejected {
			t.Errorf("a code that was used: %+v", a)
		}
		g.stop()
		g.wait(10 * time.Minute)
		if !g.pumpReachesServer() {
			t.Error("the interlock did not end by itself, without an agent")
		}
	})
}

// Whoever checks a gateway's files learns of a root that nobody would be obeyed by.
func TestCheckJudgesTheRoot(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		file := filepath.Join(g.dir, "root.dsse")
		for _, c := range []struct{ name, root, site, want string }{
			{"good", string(s.root), "s1", "root of trust: version 1"},
			{"of another site", string(s.root), "s2", "manage.root: " + file + ": wrong-site: the root is of site s1, this is s2"},
			{"damaged", string(s.root[:40]), "s1", "manage.root: " + file + ": malformed"},
		} {
			g.write(file, c.root)
			cfg := g.config()
			cfg.Site.Name = c.site
			var said strings.Builder
			err := Check(cfg, g.platform(), &said)
			if got := fmt.Sprint(said.String(), err); !strings.Contains(got, c.want) {
				t.Errorf("%s: %s", c.name, got)
			}
		}
	})
}

// provision gives the gateway its root of trust and a clock.
func (g *gateway) provision(s *signers) {
	g.t.Helper()
	file := filepath.Join(g.dir, "root.dsse")
	g.write(file, string(s.root))
	g.write(filepath.Join(g.dir, "wardkeeper.toml"), g.provisioned(""))
	g.host.Clock.SetSynced(true)
}

// provisioned is the configuration of a gateway with a root of trust.
func (g *gateway) provisioned(more string) string {
	return fmt.Sprintf(gatewayConfig, true, "", g.state()) + "[manage]\nroot = \"" + filepath.Join(g.dir, "root.dsse") + "\"\n" + more
}

// code has the console show a one-time code.
func (g *gateway) code(subject string) string {
	g.t.Helper()
	text := g.show("show code " + subject)
	code := regexp.MustCompile(`[2-9A-Z]{4}-[2-9A-Z]{4}`).FindString(text)
	if code == "" {
		g.t.Fatalf("no code in %q", text)
	}
	return code
}

// pumpReachesServer asks the kernel what becomes of a TLS connection from the
// pump to its server.
func (g *gateway) pumpReachesServer() bool {
	syn := hosttest.IPv4("10.40.122.103", "10.40.122.10", 6, 0, hosttest.TCP(40000, 443, 2))
	return g.host.Firewall.Decide(fake.Packet{In: "w1", Out: "up0", Frame: hosttest.Ethernet([6]byte{0, 0x11, 0x22, 0, 0, 0x66}, pumpMAC(), 0x0800, syn)}).Accepted
}

// A configuration that loses the broker reverts by itself; one that keeps it is
// confirmed, and outlives restarts.
func TestConfigurationOnTrial(t *testing.T) {
	s := newSigners(t)
	inGateway(t, "", func(g *gateway) {
		g.provision(s)
		g.start()
		push := func(toml string) string {
			id, text := s.sign(signed.Config{TOML: toml}, "berta")
			g.broker.send(t, "wardkeeper/v1/s1/gw1/down/desired/config", text)
			g.wait(5 * time.Second)
			return id
		}
		again := func() { // as its supervisor does
			t.Helper()
			if err := g.end(); !errors.Is(err, ErrAgain) {
				t.Fatalf("agent ended: %v, want it to start again", err)
			}
			g.end = nil
			g.wait(time.Minute)
			g.start()
		}
		good := g.provisioned("groups = [\"icu\"]\n")
		id := push(good)
		again()
		g.wait(30 * time.Second)
		if a := g.answer(id); a.State != command.Succeeded || g.agent.cfg.Desired != good || len(g.agent.cfg.Manage.Groups) != 1 {
			t.Errorf("a good configuration: %+v, groups %v", a, g.agent.cfg.Manage.Groups)
		}

		bad := strings.Replace(good, "mqtt://127.0.0.1:1883", "mqtts://127.0.0.1:8883", 1)
		id = push(bad)
		again()
		if g.agent.cfg.Desired != bad {
			t.Fatalf("the agent did not start with the configuration on trial")
		}
		g.wait(11 * time.Minute)
		again()
		g.wait(30 * time.Second)
		if a := g.answer(id); a.State != command.Failed || g.agent.cfg.Desired != good {
			t.Errorf("a configuration without a broker: %+v, in force %q", a, g.agent.cfg.Desired)
		}
		if id := push(strings.Replace(good, `gateway = "gw1"`, `gateway = "gw2"`, 1)); g.answer(id).Reason != "invalid-args" {
			t.Errorf("another name from afar: %+v", g.answer(id))
		}
		g.stop()
		g.start()
		if g.agent.cfg.Desired != good {
			t.Errorf("in force after a restart: %q", g.agent.cfg.Desired)
		}
	})
}
