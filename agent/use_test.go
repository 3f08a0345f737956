package agent

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// report has the pump report its state for some minutes, as IHE pumps do, with a
// secret wherever a message may name somebody.
func (g *gateway) report(minutes int, state string) {
	g.t.Helper()
	msg := "\x0bMSH|^~\\&|PUMP^0123456789ABCDEF^EUI-64||||20261128120000||ORU^R01^ORU_R01|" + secret + "|P|2.6\r" +
		"PID|||" + secret + "^^^H^MR||" + secret + "^" + secret + "\r" +
		"OBX|1|CWE|184519^MDC_PUMP_STAT^MDC|1.1.1.1|^" + state + "\r" +
		"OBX|2|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.2.1|" + secret + "\r\x1c\r"
	frame := hosttest.Ethernet([6]byte{0, 0x11, 0x22, 0, 0, 1}, pumpMAC(), 0x0800,
		hosttest.IPv4(pumpIP, "10.40.0.5", 17, 0, hosttest.UDP(40000, 3613, []byte(msg))))
	for range minutes * 3 {
		g.host.Ports.Inject("w1", platform.Ingress, frame)
		g.wait(20 * time.Second)
	}
}

// A pump counts as in use unless it says itself that it is not; what it does is
// shown at the gateway, told by the hour, and kept, and of whose pump it is
// nothing is.
func TestPumpInUse(t *testing.T) {
	sinks := map[string][]byte{}
	var files string
	inGateway(t, enforced, func(g *gateway) {
		files = g.state()
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		pump := string(device.IDOf(pumpMAC()))
		inUse := func(want bool, when string) {
			t.Helper()
			if yes, which := (box{g.agent}).InUse(); yes != want || yes && !strings.Contains(which, pump) {
				t.Errorf("%s: in use %v %q: %s", when, yes, which, used(g, pump))
			}
		}
		inUse(true, "nobody knows")
		g.report(3, "pump-status-infusing")
		inUse(true, "it infuses")
		g.shows("show device "+pump, "use       in-use since ", "(e1, the device says so)")
		g.report(4, "pump-status-paused")
		inUse(true, "it has just ended")
		g.report(4, "pump-status-paused")
		inUse(false, "it stands")
		sinks["console"] = []byte(g.show("show device "+pump) + witness)
		g.wait(7 * time.Minute)
		inUse(true, "nothing is heard of it")
		g.wait(2 * time.Hour)
		inUse(true, "and for long")
		hours := 0
		for _, e := range g.broker.of(t, "utilisation") {
			if strings.Contains(e, pump) {
				hours++
			}
		}
		if hours < 2 {
			t.Errorf("%d hours told", hours)
		}
		g.stop()
		g.start()
		inUse(true, "after a restart")
		g.report(3, "pump-status-paused")
		inUse(false, "it stands, after a restart")
		g.stop()
		_, payloads := g.broker.payloads(t)
		sinks["broker"], sinks["log"] = bytes.Join(payloads, nil), []byte(g.log.String())
	})
	sinks["database"] = all(t, files)
	if !bytes.Contains(sinks["database"], []byte(`"in-use":{"e1":`)) {
		t.Error("no minutes in the database")
	}
	for name, text := range sinks {
		if s := find(text, secret); s != "" {
			t.Errorf("%s: patient data %s", name, s)
		}
	}
}

// TestUnused: only its own word makes a device unused that was seen of late, and
// a clock that was set makes none absent.
func TestUnused(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		seen time.Duration // ago
		use  device.Use
		by   device.Proof
		but  string // contradiction
		want bool
	}{
		{"nobody looked", time.Minute, device.UseUnknown, device.NoProof, "", false},
		{"unknown", time.Minute, device.UseUnknown, device.ByPresence, "", false},
		{"in use", time.Minute, device.InUse, device.ByReport, "", false},
		{"in service", time.Minute, device.Service, device.ByReport, "", false},
		{"says that it stands", time.Minute, device.OnIdle, device.ByReport, "", true},
		{"heartbeats only", time.Minute, device.OnIdle, device.ByMessages, "", true},
		{"says that it is off", time.Minute, device.Off, device.ByReport, "", true},
		{"little traffic", time.Minute, device.OnIdle, device.ByRate, "", false},
		{"silent", time.Hour, device.Off, device.ByPresence, "", false},
		{"several behind one address", time.Minute, device.OnIdle, device.ByReport, "a gateway", false},
		{"not seen for a day", 25 * time.Hour, device.Off, device.ByPresence, "", true},
		{"not seen, and no role to be metered by", 25 * time.Hour, device.UseUnknown, device.NoProof, "", true},
		{"the clock was set, it was heard just now", 25 * time.Hour, device.InUse, device.ByReport, "", false},
	} {
		d := &device.Device{LastSeen: now.Add(-tt.seen), Identity: device.Identity{Contradiction: tt.but}, Utilisation: device.Utilisation{Use: tt.use, By: tt.by}}
		if got := unused(d, now); got != tt.want {
			t.Errorf("%s: unused %v", tt.name, got)
		}
	}
}

func used(g *gateway, id string) string {
	u := g.agent.devices.Snapshot().Find(device.ID(id)).Utilisation
	return u.Use.String() + " " + u.By.String()
}
