package enforce

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

func TestDenyEvents(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		for _, p := range []packet{telnet, smb, calling,
			{"w2", "w1", strangerMAC, pumpMAC, "10.20.3.5", "10.20.7.11", 443},     // a borrowed address
			{"w1", "w2", printerMAC, pumpMAC, "10.20.7.14", "10.20.7.11", 80},      // between two devices
			{uplink, "w1", routerMAC, printerMAC, "203.0.113.9", "10.20.7.14", 22}, // from outside
		} {
			w.passes(p)
		}
		synctest.Wait()
		deny := func(self fakeDevice, seg, peer, service, dir, verdict, port string) event.Deny {
			return event.Deny{Device: self.id, Role: self.role, Segment: seg, Peer: peer, Service: service, Direction: dir, Verdict: verdict, Port: port, Samples: 1}
		}
		pump, printer, camera := fakeDevice{device.IDOf(pumpMAC), "infusion-pump-lvp"}, fakeDevice{device.IDOf(printerMAC), "printer"}, fakeDevice{device.IDOf(cameraMAC), "camera"}
		between := deny(printer, "printers", "10.20.7.11", "tcp/80", "from-device", "denied", "w1")
		between.PeerDevice = pump.id
		want := []event.Deny{
			deny(pump, "infusion", "10.20.7.66", "tcp/23", "to-device", "denied", "w2"),
			deny(printer, "printers", "10.20.7.66", "tcp/445", "to-device", "denied", "w2"),
			deny(camera, "cameras", "203.0.113.9", "tcp/443", "from-device", "would-deny", "w1"),
			deny(fakeDevice{device.IDOf(strangerMAC), ""}, "", "10.20.3.5", "tcp/443", "from-device", "claimed-address", "w2"),
			between,
			deny(printer, "printers", "203.0.113.9", "tcp/22", "to-device", "denied", "uplink"),
		}
		var got []event.Deny
		classes := map[string]event.Class{}
		for _, e := range w.events.denies() {
			d := e.Body.(event.Deny)
			got = append(got, d)
			classes[string(d.Device)+d.Verdict] = e.Class
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(event.Deny{}, "First", "Last", "PeerMAC")); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
		if classes[string(pump.id)+"denied"] != event.Alert || classes[string(printer.id)+"denied"] != event.Ordinary || classes[string(device.IDOf(strangerMAC))+"claimed-address"] != event.Alert {
			t.Errorf("classes %v", classes)
		}
	})
}

type fakeDevice struct {
	id   device.ID
	role device.Role
}

func TestDenyEventsAreGathered(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		start := time.Now()
		for range 60 { // twice a second, for 30 s
			w.passes(telnet)
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		var samples, n uint64
		for _, e := range w.events.denies() {
			d := e.Body.(event.Deny)
			samples, n = samples+d.Samples, n+1
			if d.Last.Before(d.First) || d.First.Before(start.UTC().Add(-time.Second)) {
				t.Errorf("from %v to %v", d.First, d.Last)
			}
		}
		if samples != 60 || n < 3 || n > 5 {
			t.Errorf("%d events with %d samples, want 60 in 3 to 5", n, samples)
		}
		if s := w.task.Status(); s.Denied != 60 {
			t.Errorf("counted %d", s.Denied)
		}
	})
}

func TestLogIsSampledCountersAreExact(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		for range 5000 {
			w.passes(telnet)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		var samples uint64
		for _, e := range w.events.denies() {
			samples += e.Body.(event.Deny).Samples
		}
		if s := w.task.Status(); s.Denied != 5000 || samples == 0 || samples > 200 {
			t.Errorf("%d counted, %d sampled", s.Denied, samples)
		}
	})
}

func TestDeniesAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		now := w.denies.clock.Now()
		w.stop()
		for i := range maxDenies + 100 {
			w.denies.take(platform.LogEntry{Prefix: "wk drop reach infusion", In: "w2", SrcMAC: strangerMAC, DstMAC: pumpMAC, EtherType: 0x0800,
				Proto: 6, TCPFlags: 2, DstPort: uint16(i)}, now)
		}
		if n := len(w.denies.open); n > maxDenies || w.denies.Counters()["denies.overflow"] != 100 {
			t.Errorf("%d kinds are open, %v", n, w.denies.Counters())
		}
		w.stop = nil
	})
}

func TestLogHasOneReader(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		other, err := w.fw.Logged(policy.LogGroup)
		if err != nil {
			t.Fatal(err)
		}
		w.start(wardPolicy(t))
		if c := w.board.Conditions(); len(c) != 1 || c[0].Code != "enforce.log" {
			t.Errorf("conditions %+v", c)
		}
		w.enforced("without the log")
		_ = other.Close()
		time.Sleep(2 * logRetry)
		synctest.Wait()
		if c := w.board.Conditions(); len(c) != 0 {
			t.Errorf("conditions %+v", c)
		}
	})
}

func TestService(t *testing.T) {
	for want, e := range map[string]platform.LogEntry{
		"tcp/23":         {EtherType: 0x0800, Proto: 6, TCPFlags: 2, SrcPort: 80, DstPort: 23},
		"tcp/80":         {EtherType: 0x0800, Proto: 6, TCPFlags: 18, SrcPort: 80, DstPort: 40000},
		"tcp/443":        {EtherType: 0x86dd, Proto: 6, TCPFlags: 16, SrcPort: 443, DstPort: 40000},
		"udp/53":         {EtherType: 0x0800, Proto: 17, SrcPort: 40000, DstPort: 53},
		"udp/24105":      {EtherType: 0x0800, Proto: 17, SrcPort: 40000, DstPort: 24105},
		"icmp/8":         {EtherType: 0x0800, Proto: 1, SrcPort: 8},
		"icmp6/135":      {EtherType: 0x86dd, Proto: 58, SrcPort: 135},
		"ip/47":          {EtherType: 0x0800, Proto: 47},
		"udp/fragment":   {EtherType: 0x0800, Proto: 17, Fragment: true, SrcPort: 9},
		"tcp/fragment":   {EtherType: 0x86dd, Proto: 6, Fragment: true, TCPFlags: 2, DstPort: 23},
		"icmp/fragment":  {EtherType: 0x0800, Proto: 1, Fragment: true, SrcPort: 8},
		"icmp6/fragment": {EtherType: 0x86dd, Proto: 58, Fragment: true, SrcPort: 135},
		"ip/50":          {EtherType: 0x0800, Proto: 50, Fragment: true},
		"ether/0x8864":   {EtherType: 0x8864},
	} {
		if got := service(e); got != want {
			t.Errorf("%+v is %s, want %s", e, got, want)
		}
	}
}

func TestUnicastInABroadcastFrameIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		b := hosttest.Ethernet(hosttest.Broadcast(), strangerMAC, 0x0800, hosttest.IPv4("10.20.7.66", "10.20.7.11", 17, 0, hosttest.UDP(9, 53, nil)))
		if w.fw.Decide(fake.Packet{Frame: b, In: "w2", Out: "w1"}).Accepted {
			t.Error("it passes")
		}
		synctest.Wait()
		e := w.events.denies()
		if len(e) != 1 || e[0].Body.(event.Deny).Device != device.IDOf(pumpMAC) {
			t.Errorf("events %+v", e)
		}
	})
}
