package enforce

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// The interlock: whatever one person orders, or somebody makes the gateway
// believe, a life-sustaining device keeps its clinical peers. Only an order under
// the interlock takes them, and that for its time.

// suitePolicy is the ward's policy, with segments to be tagged into.
const suitePolicy = `version = 5

[peers.pump-server]
addresses = ["10.20.3.5"]
clinical  = true

[peers.central]
addresses = ["10.20.3.9"]
clinical  = true

[[segment]]
name  = "infusion"
roles = ["infusion-pump-lvp"]
mode  = "enforce"
allow = [{ to = "pump-server", services = ["tcp/443"] }]

[[segment]]
name  = "printers"
roles = ["printer"]
tags  = ["desk"]
mode  = "enforce"
allow = [{ from = "any-internal", services = ["tcp/631"] }]

[[segment]]
name  = "monitoring"
tags  = ["bed"]
mode  = "enforce"
allow = [{ to = "central", services = ["udp/24105"] }]
`

// pumpAs is the pump as the inventory may have it.
func pumpAs(change func(d *device.Device)) []device.Device {
	d := wardDevices()
	change(&d[0])
	return d
}

func evidence(r device.Role, weight float64) device.Evidence {
	return device.Evidence{Signature: "hl7." + string(r), Role: r, Weight: weight}
}

var (
	likelyPump = func(d *device.Device) {
		d.Identity.Confidence, d.Identity.Evidence = device.Likely, []device.Evidence{evidence("infusion-pump-lvp", 5)}
	}
	// talkedDown is a pump that forged facts outweigh.
	talkedDown = func(d *device.Device) {
		d.Identity = device.Identity{Role: "printer", Class: device.Support, Confidence: device.Confirmed, RunnerUp: "infusion-pump-lvp",
			Evidence: []device.Evidence{evidence("printer", 9), evidence("infusion-pump-lvp", 5)}}
	}
	pinnedDown = func(d *device.Device) {
		d.Pin = &device.Pin{Role: "printer", By: "mia", Reason: "a trick"}
		d.Identity = device.Identity{Role: "printer", Class: device.Support, Confidence: device.Confirmed, Pinned: true, RunnerUp: "infusion-pump-lvp",
			Evidence: []device.Evidence{evidence("infusion-pump-lvp", 5)}}
	}
	pinnedForGood = func(d *device.Device) { // no evidence is left
		d.Pin = &device.Pin{Role: "printer", By: "mia", Reason: "a trick"}
		d.Identity = device.Identity{Role: "printer", Class: device.Support, Confidence: device.Confirmed, Pinned: true}
	}
	tagged = func(tag string) func(d *device.Device) {
		return func(d *device.Device) { d.Tags = []string{tag} }
	}
)

func quarantinePump(w *ward) error {
	return w.task.Quarantine(context.Background(), Order{Device: pumpID, Owner: "mia", Reason: "a trick", For: time.Hour})
}

func setPolicy(change func(toml string) string) func(w *ward) error {
	return func(w *ward) error { return w.task.SetPolicy(context.Background(), change(suitePolicy), "mia") }
}

func replaced(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

// TestInterlockHolds is the suite: what is tried, and with which word it is
// refused, "" for what is done and cuts nothing.
func TestInterlockHolds(t *testing.T) {
	known := wardDevices()
	ownAddress := replaced(`[peers.central]
addresses = ["10.20.3.9"]`, `[peers.central]
addresses = ["10.20.7.11"]`)
	for _, c := range []struct {
		name         string
		before, then []device.Device // before: nil where the pump was never known better
		act          func(w *ward) error
		code         string
	}{
		{"quarantine of the pump", known, known, quarantinePump, "interlock"},
		{"quarantine of a likely pump", nil, pumpAs(likelyPump), quarantinePump, "interlock"},
		{"quarantine of a pump that was talked down", known, pumpAs(talkedDown), quarantinePump, "interlock"},
		{"quarantine of one talked down before it was known", nil, pumpAs(talkedDown), quarantinePump, "interlock"},
		{"quarantine of a pump that was pinned as a printer", known, pumpAs(pinnedDown), quarantinePump, "interlock"},
		{"quarantine of one pinned before it was known", nil, pumpAs(pinnedDown), quarantinePump, "interlock"},
		{"quarantine of one pinned, its evidence gone", known, pumpAs(pinnedForGood), quarantinePump, "interlock"},
		{"quarantine with the inventory lost", known, []device.Device{}, quarantinePump, "interlock"},
		{"quarantine by a class that a site raised", nil, pumpAs(func(d *device.Device) {
			d.Identity = device.Identity{Role: "printer", Class: device.LifeSustaining, Confidence: device.Likely}
		}), quarantinePump, "interlock"},
		{"nothing but a pin as a printer", known, pumpAs(pinnedDown), nil, ""},
		{"nothing but a pin, before it was known", nil, pumpAs(pinnedDown), nil, ""},
		{"nothing but a pin, its evidence gone", known, pumpAs(pinnedForGood), nil, ""},
		{"nothing but forged facts", known, pumpAs(talkedDown), nil, ""},
		{"nothing but forged facts, before it was known", nil, pumpAs(talkedDown), nil, ""},
		{"nothing but a lost inventory", known, []device.Device{}, nil, ""},
		{"a tag for a segment without a clinical peer", known, pumpAs(tagged("desk")), nil, ""},
		{"the same, before it was known", nil, pumpAs(tagged("desk")), nil, ""},
		{"a tag for a segment with another clinical peer", known, pumpAs(tagged("bed")), nil, ""},
		{"the same, before it was known", nil, pumpAs(tagged("bed")), nil, ""},
		{"the same, where no segment knows its role", nil, pumpAs(func(d *device.Device) { d.Tags, d.Conversations = []string{"bed"}, pumpTalks() }), setPolicy(replaced(`roles = ["infusion-pump-lvp"]`, `devices = ["00:11:22:00:00:99"]`)), ""},
		{"the same, and talked down", nil, pumpAs(func(d *device.Device) { talkedDown(d); d.Tags = []string{"bed"} }), nil, ""},
		{"a policy with another server", known, known, setPolicy(replaced("10.20.3.5", "10.20.3.6")), ""},
		{"a policy without the server", known, known, setPolicy(replaced(`{ to = "pump-server", services = ["tcp/443"] }`, "")), ""},
		{"a policy whose server is not clinical", known, known, setPolicy(replaced("clinical  = true\n\n[peers.central]", "\n[peers.central]")), ""},
		{"a policy without its segment", known, known, setPolicy(replaced(`roles = ["infusion-pump-lvp"]`, `devices = ["00:11:22:00:00:99"]`)), ""},
		{"a policy that takes it for a printer", known, known, setPolicy(replaced(`roles = ["infusion-pump-lvp"]`, "", `roles = ["printer"]`, `roles = ["printer", "infusion-pump-lvp"]`)), "invalid-args"},
		{"a policy with the pump's address for a server's", known, known, setPolicy(ownAddress), "interlock"},
		{"the same for a pump that is only likely", nil, pumpAs(likelyPump), setPolicy(ownAddress), "interlock"},
		{"a mode, sterner", known, known, func(w *ward) error {
			if err := w.task.Mode(context.Background(), "infusion", "observe", "mia"); err != nil {
				return err
			}
			w.uncut("in observe")
			return w.task.Mode(context.Background(), "infusion", "enforce", "mia")
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *ward) {
				if c.before != nil {
					w.inv.set(c.before...)
					w.start(parse(t, []byte(suitePolicy)))
					w.uncut("before")
					w.inv.set(c.then...)
					w.settle()
				} else {
					w.inv.set(c.then...)
					w.start(parse(t, []byte(suitePolicy)))
				}
				w.uncut("what is known of it changed")
				if c.act != nil {
					err := c.act(w)
					if c.code == "" && err != nil {
						t.Error(err)
					} else if c.code != "" {
						refused(t, "the act", err, c.code)
					}
					w.uncut("at once")
					w.settle()
					w.uncut("settled")
				}
				w.stop()
				w.start(parse(t, []byte(suitePolicy)))
				w.uncut("an agent starts")
			})
		})
	}
}

// TestInterlockOpens: the same orders, signed for, are done, and end.
func TestInterlockOpens(t *testing.T) {
	for name, devices := range map[string][]device.Device{"known": wardDevices(), "likely": pumpAs(likelyPump), "talked down": pumpAs(talkedDown), "lost": {}} {
		inBubble(t, func(t *testing.T, w *ward) {
			w.inv.set(devices...)
			w.start(parse(t, []byte(suitePolicy)))
			w.quarantine(pumpID, time.Hour, true)
			w.settle()
			if w.passes(clinical) || w.passes(answering) {
				t.Errorf("%s: not cut", name)
			}
			time.Sleep(time.Hour)
			w.uncut(name + ": over")
		})
	}
}

// TestLifeSustaining lists who counts as such, and who does not.
func TestLifeSustaining(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.run(w.options(wardPolicy(t)))
		if yes, why := w.task.LifeSustaining(stranger().ID); !yes || why != "the inventory is not back yet" {
			t.Errorf("at the start: %v, %q", yes, why)
		}
		w.settle()
		for _, c := range []struct {
			name   string
			change func(d *device.Device)
			why    string
		}{
			{"a pc", func(*device.Device) {}, ""},
			{"nobody knows", func(d *device.Device) {
				d.Identity = device.Identity{Role: device.RoleUnknown, Class: device.Other, Confidence: device.Candidate}
			}, ""},
			{"a candidate for a pump", func(d *device.Device) { d.Identity.Role, d.Identity.Confidence = "infusion-pump-lvp", device.Candidate }, "it may be a infusion-pump-lvp"},
			{"a pump comes second", func(d *device.Device) { d.Identity.RunnerUp = "infusion-pump-lvp" }, "it may be a infusion-pump-lvp"},
			{"a word for a pump", func(d *device.Device) { d.Identity.Evidence = []device.Evidence{evidence("infusion-pump-lvp", 0.5)} }, "it may be a infusion-pump-lvp"},
			{"words against a pump", func(d *device.Device) {
				d.Identity.Evidence = []device.Evidence{evidence("infusion-pump-lvp", 1), evidence("infusion-pump-lvp", -2)}
			}, ""},
			{"pinned as a pump", func(d *device.Device) { d.Pin = &device.Pin{Role: "infusion-pump-lvp"} }, "it is pinned as infusion-pump-lvp"},
			{"its class", func(d *device.Device) { d.Identity.Class = device.LifeSustaining }, "its class"},
		} {
			d := stranger()
			c.change(&d)
			w.inv.set(append(wardDevices(), d)...)
			if yes, why := w.task.LifeSustaining(d.ID); yes != (c.why != "") || why != c.why {
				t.Errorf("%s: %v, %q, want %q", c.name, yes, why, c.why)
			}
		}
		if yes, why := w.task.LifeSustaining(pumpID); !yes || why != "it has an exempt pair with pump-server" {
			t.Errorf("the pump: %v, %q", yes, why)
		}
		if yes, why := w.task.LifeSustaining("00:11:22:00:00:99"); !yes || why != "the inventory does not know it" {
			t.Errorf("nobody: %v, %q", yes, why)
		}
	})
}

// TestQuarantineOfAClinicalPeer: a peer on the ward is worth what its devices are.
func TestQuarantineOfAClinicalPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		p := strings.Replace(suitePolicy, "[peers.central]\naddresses = [\"10.20.3.9\"]", "[peers.central]\ndevice = \""+string(stranger().ID)+"\"\naddresses = [\"10.20.7.66\"]", 1)
		p = strings.Replace(p, `allow = [{ to = "pump-server"`, `allow = [{ to = "central", services = ["tcp/443"] }, { to = "pump-server"`, 1)
		w.start(parse(t, []byte(p)))
		there := packet{"w1", "w2", pumpMAC, strangerMAC, "10.20.7.11", "10.20.7.66", 443}
		if !w.passes(there) {
			t.Fatal("no pair on the ward")
		}
		o := Order{Device: stranger().ID, Owner: "mia", Reason: "a trick", For: time.Hour}
		refused(t, "the peer", w.task.Quarantine(context.Background(), o), "interlock")
		o.Interlock = true
		if err := w.task.Quarantine(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if !w.passes(there) || w.passes(roaming) {
			t.Errorf("the pump's pair with it passes %v: nobody named the pump; all else %v", w.passes(there), w.passes(roaming))
		}
		if err := w.task.Release(context.Background(), o.Device, "mia"); err != nil {
			t.Fatal(err)
		}
		w.task.use(parse(t, []byte(suitePolicy))) // the pair of old counts
		w.settle()
		o.Interlock = false
		refused(t, "the peer of old", w.task.Quarantine(context.Background(), o), "interlock")
	})
}

// pumpTalks is what the pump has said to its server.
func pumpTalks() []device.Conversation {
	return []device.Conversation{{Peer: netip.MustParseAddr("10.20.3.5"), PeerMAC: routerMAC, Opener: fact.OpenerDevice, Answered: true, Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443}}}
}

// TestJudgePolicyNamesTheFlow that a policy would cut.
func TestJudgePolicyNamesTheFlow(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		d := pumpAs(likelyPump)
		d[0].Conversations = pumpTalks()
		w.inv.set(d...)
		w.start(parse(t, []byte(suitePolicy)))
		p := parse(t, []byte(replaced("10.20.3.9", "10.20.7.11")(suitePolicy)))
		cuts, err := w.task.JudgePolicy(p)
		want := policy.Cut{Device: pumpID, Peer: "pump-server", Addr: netip.MustParseAddr("10.20.3.5"), Why: "claimed address: 10.20.7.11 lies behind the uplink"}
		own := policy.Cut{Device: pumpID, Peer: "everybody", Addr: netip.MustParseAddr("10.20.7.11"), Why: "its own address 10.20.7.11 lies behind the uplink"}
		if diff := cmp.Diff([]policy.Cut{own, want}, cuts, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		// One that is only likely keeps its server, in case it is confirmed.
		other := parse(t, []byte(replaced("10.20.3.5", "10.20.3.6")(suitePolicy)))
		cuts, err = w.task.JudgePolicy(other)
		if err != nil || len(cuts) != 1 || cuts[0].Why != "segment infusion: no entry allows it to leave "+string(pumpID) {
			t.Errorf("another server: %+v, %v", cuts, err)
		}
		if cuts, err = w.task.JudgePolicy(parse(t, []byte(strings.Replace(string(other.Source), "clinical  = true", "standby = [\"10.20.3.5\"]\nclinical  = true", 1)))); err != nil || len(cuts) != 0 {
			t.Errorf("another server, the old one as its standby: %+v, %v", cuts, err)
		}
		if cuts, err = w.task.JudgePolicy(parse(t, []byte(suitePolicy))); err != nil || len(cuts) != 0 {
			t.Errorf("the policy in force: %+v, %v", cuts, err)
		}
	})
}
