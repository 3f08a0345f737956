package console

import (
	"context"
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// ward is a small ward to look at.
type ward struct {
	devices   int  // more than the three, for long lists
	hostile   bool // a device that names itself to hurt the terminal
	quiet     bool // nothing yet
	unhealthy bool
	glass     *latch
}

// latch is break-glass of a ward to look at.
type latch struct {
	mu   sync.Mutex
	open time.Duration
	did  []string
	err  error
}

func (l *latch) set(d time.Duration, what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.did = append(l.did, what)
	if l.err == nil {
		l.open = d
	}
	return l.err
}

func (l *latch) BreakGlass(_ context.Context, d time.Duration, who string) error {
	return l.set(d, fmt.Sprintf("%s opens for %v", who, d))
}

func (l *latch) EndBreakGlass(_ context.Context, who string) error { return l.set(0, who+" closes") }

func (l *latch) left() time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

func at0(min int) time.Time { return time.Date(2026, 3, 1, 8, min, 0, 0, time.UTC) }

func (w ward) Status() Status {
	st := Status{Gateway: "st-mary-7b", Site: "st-mary", Version: "0123456789ab", Mode: "bridge",
		Synced: true, Firmware: Firmware{Slot: "a", Image: "2026.3", Kernel: "6.1.0-40-arm64"},
		Now:     clock.Stamp{BootID: "6f1e3a52-3f0e-4d6c-9d6e-2f8a6f0f7c11", Wall: at0(30), Mono: 76*time.Hour + 30*time.Minute, Quality: clock.NTP},
		Running: 12*time.Minute + 5*time.Second,
		Ports: []Port{{Name: "eth0", Use: "uplink", Up: true}, {Name: "eth1", Use: "ward", Up: true, Capture: "ring", Frames: 1234567},
			{Name: "eth2", Use: "ward", Capture: "recvmmsg", Frames: 89, Dropped: 3}}}
	if w.unhealthy {
		st.Ports[2].Capture = ""
		st.Firmware.Rescue, st.Synced, st.Now.Quality = "load the last confirmed rules: record of version 9", false, clock.Floor
		st.Conditions = []health.Condition{
			{Code: "capture.port_gone:eth2", Severity: health.Failure, Text: "port eth2 is gone", Since: at0(20)},
			{Code: "store.ram", Severity: health.Warning, Since: at0(21),
				Text: "in memory only: 3 failures in a row, the last: preflight: run db-check /data/wardkeeper/store.db: exit status 1"}}
	}
	return st
}

func (w ward) Inventory() *device.Snapshot {
	s := &device.Snapshot{}
	if w.quiet {
		return s
	}
	mac := func(last byte) fact.MAC { return fact.MAC{0, 0, 0x5e, 0, 0x53, last} }
	s.Devices = []device.Device{
		{ID: device.IDOf(mac(1)), MAC: mac(1), Port: "eth1", IPs: []netip.Addr{netip.MustParseAddr("192.0.2.21"), netip.MustParseAddr("2001:db8::21")},
			FirstSeen: at0(1), LastSeen: at0(29), Tags: []string{"bay 3"}, Utilisation: device.Utilisation{Use: device.InUse, By: device.ByReport, Since: at0(7)},
			Identity: device.Identity{Role: "infusion-pump-lvp", Class: device.LifeSustaining, Confidence: device.Confirmed, Score: 7.25, Margin: 4.5, RunnerUp: "infusion-pump-syringe",
				Vendor: device.Attribute{Value: "Example Medical", Confidence: device.Confirmed, Signature: "example-prt10"},
				Model:  device.Attribute{Value: "Pump 4000", Confidence: device.Likely, Signature: "example-prt10"},
				Serial: device.Attribute{Value: "SN-SECRET-77", Confidence: device.Likely, Signature: "example-prt20"},
				Evidence: []device.Evidence{{Signature: "example-prt10", Kind: "hl7.prt10_device", Role: "infusion-pump-lvp", Weight: 5},
					{Signature: "example-oui", Kind: "oui.vendor", Role: "infusion-pump-lvp", Weight: 2.25}, {Signature: "http-browser", Kind: "http.user_agent", Role: "infusion-pump-lvp", Weight: -1}}},
			Facts: []device.Known{{Kind: fact.DHCPHostname, Value: "pump-of-mrs-canary"}},
			Conversations: []device.Conversation{
				{Peer: netip.MustParseAddr("198.51.100.5"), Service: fact.Service{EtherType: 0x800, Proto: 6, Port: 3613}, Opener: fact.OpenerDevice, Answered: true,
					BytesFrom: 40960, BytesTo: 1234, Last: at0(29)},
				{PeerMAC: mac(9), Service: fact.Service{EtherType: 0x88f7}, Opener: fact.OpenerUnknown, BytesFrom: 64, Last: at0(3)}}},
		{ID: device.IDOf(mac(2)), MAC: mac(2), Port: "eth2", VLAN: 20, FirstSeen: at0(2), LastSeen: at0(28), Pin: &device.Pin{Role: "printer", By: "j.doe", Reason: "asset 4711"},
			Identity: device.Identity{Role: "printer", Class: device.Support, Pinned: true, Contradiction: "speaks DICOM as a modality does, and mDNS as a printer does: a gateway, or a spoof"}},
		{ID: "local:02:00:5e:00:53:01", MAC: fact.MAC{2, 0, 0x5e, 0, 0x53, 1}, Port: "eth2", FirstSeen: at0(5), LastSeen: at0(6), Identity: device.Identity{Role: device.RoleUnknown, Class: device.Other}},
	}
	if w.hostile {
		evil := "\x1b[2J\x1b[31mEvil\r\n\x07\x00\u202e\xff"
		d := s.Devices[1]
		d.ID, d.Port = device.ID("evil"+evil), evil
		d.Identity.Vendor, d.Identity.Model = device.Attribute{Value: evil + strings.Repeat("long ", 60)}, device.Attribute{Value: evil, Signature: evil}
		d.Identity.Contradiction, d.Pin = evil, &device.Pin{By: evil, Reason: evil}
		d.Identity.Evidence = []device.Evidence{{Signature: evil, Kind: evil, Role: device.Role(evil)}}
		d.Tags = []string{evil}
		s.Devices = append(s.Devices, d)
	}
	for i := range w.devices {
		s.Devices = append(s.Devices, device.Device{ID: device.ID(fmt.Sprintf("00:00:5e:00:54:%02x", i)), Port: "eth1", Identity: device.Identity{Role: "workstation-pc", Confidence: device.Likely}})
	}
	sort.Slice(s.Devices, func(i, j int) bool { return s.Devices[i].ID < s.Devices[j].ID })
	return s
}

func (w ward) Policy() Policy {
	if w.quiet {
		return Policy{Default: "observe", Open: w.glass.left()}
	}
	return Policy{Open: w.glass.left(), Version: 12, InForce: !w.unhealthy, Generation: 7, Result: "applied", Since: at0(10), Default: "observe", Segments: []Segment{
		{Name: "infusion", Mode: "enforce", Devices: 1, Enforced: 1, Denied: 41, Allow: []string{"to pump-server: tcp/443 tcp/8443", "from pump-server: tcp/3613"}},
		{Name: "printers", Mode: "stage", Devices: 1, WouldDeny: 5, Allow: []string{"to any-internal: tcp/443 tcp/631 tcp/9100 udp/161 udp/5353 tcp/80 tcp/8080 tcp/515 tcp/5357"}},
	}}
}

func (w ward) Denies() Denies {
	if w.quiet {
		return Denies{}
	}
	return Denies{Denied: 41, WouldDeny: 5, Recent: []event.Deny{
		{Device: "00:00:5e:00:53:01", Peer: "192.0.2.66", Service: "tcp/445", Direction: "to-device", Verdict: "denied", Samples: 3, Last: at0(29)},
		{Device: "00:00:5e:00:53:02", Peer: "2001:db8:1234:5678::1", Service: "udp/161", Direction: "from-device", Verdict: "would-deny", Samples: 1, Last: at0(28)},
	}}
}

func (w ward) Uplink() Uplink {
	if w.quiet {
		return Uplink{Store: "file", Epoch: "0011223344556677", Cap: 64 << 20}
	}
	u := Uplink{Broker: "mqtts://mqtt.hospital.example:8883", Connected: true, Since: at0(2), InFlight: 1, Acked: 1042, LastAck: at0(29),
		Bytes: 123456, Cap: 64 << 20, Store: "file", Epoch: "0011223344556677",
		Classes: []Class{{Name: "audit", Committed: 2}, {Name: "alert", Committed: 40, Waiting: 1}, {Name: "state", Committed: 900, Waiting: 3},
			{Name: "event", Committed: 100}, {Name: "telemetry", Committed: 4, Evicted: 2, Lost: 1}}}
	if w.unhealthy {
		u.Identity = Identity{State: "waiting for its certificate", Fingerprint: "3f2a 91bc " + strings.Repeat("0123 ", 13) + "cdef",
			Request: "-----BEGIN CERTIFICATE REQUEST-----\nMIHkMIGMAgEAMBUxEzARBgNVBAMMCnN0LW1hcnktN2I=\n-----END CERTIFICATE REQUEST-----\n"}
		u.Connected, u.LastError, u.Since, u.NoRoom, u.WaitingInMemory, u.Damaged, u.Store = false, "connect: network Error : dial tcp 203.0.113.9:8883: connect: connection refused", at0(25), true, 12, 2, "memory only"
	}
	return u
}
