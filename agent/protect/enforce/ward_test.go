package enforce

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

func testRoles(r device.Role) (device.SafetyClass, bool) {
	c, ok := map[device.Role]device.SafetyClass{"infusion-pump-lvp": device.LifeSustaining, "printer": device.Support, "camera": device.Support}[r]
	return c, ok
}

// shelf is an Inventory that a test fills.
type shelf struct {
	mu      sync.Mutex
	snap    *device.Snapshot
	changed chan struct{}
	ready   chan struct{}
}

func newShelf(devices ...device.Device) *shelf {
	s := &shelf{changed: make(chan struct{}, 1), ready: make(chan struct{}), snap: &device.Snapshot{}}
	s.set(devices...)
	return s
}

func (s *shelf) Snapshot() *device.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}
func (s *shelf) Subscribe() <-chan struct{} { return s.changed }
func (s *shelf) Ready() <-chan struct{}     { return s.ready }

func (s *shelf) set(devices ...device.Device) {
	slices.SortFunc(devices, func(a, b device.Device) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	s.mu.Lock()
	s.snap = &device.Snapshot{Seq: s.snap.Seq + 1, Devices: devices}
	s.mu.Unlock()
	poke(s.changed)
}

// disk is a Store in memory.
type disk map[string][]byte

// diskMu: an act and Run may keep at the same moment.
var diskMu sync.Mutex

func (d disk) All(key string) ([][]byte, error) {
	diskMu.Lock()
	defer diskMu.Unlock()
	if v, ok := d[key]; ok {
		return [][]byte{v}, nil
	}
	return nil, nil
}
func (d disk) Put(key string, v []byte) error {
	diskMu.Lock()
	defer diskMu.Unlock()
	d[key] = v
	return nil
}

// events collects what is emitted.
type events struct {
	mu   sync.Mutex
	list []event.Event
}

func (e *events) Emit(ev event.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

// results are the policy events, as "applied 4 #1 reason".
func (e *events) policies() (out []event.PolicyChange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if p, ok := ev.Body.(event.PolicyChange); ok {
			out = append(out, p)
		}
	}
	return out
}

func (e *events) denies() (out []event.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if _, ok := ev.Body.(event.Deny); ok {
			out = append(out, ev)
		}
	}
	return out
}

const uplink = "uplink"

var (
	pumpMAC, printerMAC, cameraMAC = fact.MAC{0, 0x11, 0x22, 0, 0, 1}, fact.MAC{0, 0x11, 0x22, 0, 0, 4}, fact.MAC{0, 0x11, 0x22, 0, 0, 5}
	strangerMAC, routerMAC         = fact.MAC{0, 0x11, 0x22, 0, 0, 0x66}, fact.MAC{0, 0x11, 0x22, 0, 0, 0xfe}
)

const pumpID, printerID, cameraID = device.ID("00:11:22:00:00:01"), device.ID("00:11:22:00:00:04"), device.ID("00:11:22:00:00:05")

func confirmed(m fact.MAC, role device.Role, ip string) device.Device {
	class, _ := testRoles(role)
	return device.Device{ID: device.IDOf(m), MAC: m, IPs: []netip.Addr{netip.MustParseAddr(ip)},
		Identity: device.Identity{Role: role, Class: class, Confidence: device.Confirmed}}
}

func wardDevices() []device.Device {
	return []device.Device{confirmed(pumpMAC, "infusion-pump-lvp", "10.20.7.11"), confirmed(printerMAC, "printer", "10.20.7.14"),
		confirmed(cameraMAC, "camera", "10.20.7.15")}
}

// ward is a gateway on the fake host.
type ward struct {
	t      *testing.T
	host   *fake.Host
	fw     *fake.Firewall
	inv    *shelf
	disk   disk
	events *events
	button Button
	board  *health.Board
	task   *Task
	denies *Denies
	stop   func()
}

func newWard(t *testing.T) *ward {
	t.Helper()
	h := fake.New()
	w := &ward{t: t, host: h, fw: h.Firewall, inv: newShelf(wardDevices()...), disk: disk{}, events: &events{}, board: &health.Board{}}
	close(w.inv.ready)
	for _, p := range []string{uplink, "w1", "w2"} {
		h.Ports.Add(platform.Link{Name: p})
	}
	return w
}

func wardPolicy(t *testing.T) *policy.Policy {
	t.Helper()
	data, err := os.ReadFile("testdata/ward.policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data)
}

func parse(t *testing.T, data []byte) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("ward.policy.toml", data, testRoles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *ward) options(p *policy.Policy) Options {
	return Options{Firewall: w.fw, Links: w.host.Ports, Inventory: w.inv, Store: w.disk, Clock: clock.New(w.host.Clock, time.Unix(0, 0)),
		Board: w.board, Events: w.events, Button: w.button, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Policy: p, Roles: testRoles, Lab: true,
		Internal: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Uplink: uplink, Ward: []string{"w1", "w2"}}
}

// start starts an agent; stop kills it without a farewell.
func (w *ward) start(p *policy.Policy) {
	w.run(w.options(p))
	w.settle()
}

func (w *ward) run(o Options) {
	w.task = New(o)
	w.denies = NewDenies(w.task)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- w.task.Run(ctx) }()
	go func() { done <- w.denies.Run(ctx) }()
	w.stop = func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				w.t.Error(err)
			}
		}
	}
}

// settle lets the agent do what it has to, and a little time pass.
func (w *ward) settle() {
	synctest.Wait()
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

func (w *ward) table() platform.Table {
	w.t.Helper()
	table, err := w.fw.Read(context.Background(), platform.FamilyBridge, policy.TableName)
	if err != nil {
		w.t.Fatal(err)
	}
	return table
}

// packet is a TCP SYN between two hosts.
type packet struct {
	in, out  string
	src, dst fact.MAC
	from, to string
	port     uint16
}

func (w *ward) passes(p packet) bool {
	b := hosttest.Ethernet(p.dst, p.src, 0x0800, hosttest.IPv4(p.from, p.to, 6, 0, hosttest.TCP(40000, p.port, 2)))
	return w.fw.Decide(fake.Packet{Frame: b, In: p.in, Out: p.out}).Accepted
}

// The packets that most tests ask about.
var (
	clinical = packet{"w1", uplink, pumpMAC, routerMAC, "10.20.7.11", "10.20.3.5", 443}
	telnet   = packet{"w2", "w1", strangerMAC, pumpMAC, "10.20.7.66", "10.20.7.11", 23}
	printing = packet{"w2", "w1", strangerMAC, printerMAC, "10.20.7.66", "10.20.7.14", 631}
	smb      = packet{"w2", "w1", strangerMAC, printerMAC, "10.20.7.66", "10.20.7.14", 445}
	outside  = packet{uplink, "w1", routerMAC, printerMAC, "203.0.113.9", "10.20.7.14", 22}
	calling  = packet{"w1", uplink, cameraMAC, routerMAC, "10.20.7.15", "203.0.113.9", 443}
)

// enforced fails unless the rules do what the policy says.
func (w *ward) enforced(when string) {
	w.t.Helper()
	for _, x := range []struct {
		name string
		p    packet
		want bool
	}{{"clinical", clinical, true}, {"telnet", telnet, false}, {"printing", printing, true}, {"smb", smb, false}, {"calling", calling, true}} {
		if got := w.passes(x.p); got != x.want {
			w.t.Errorf("%s: %s passes %v, want %v", when, x.name, got, x.want)
		}
	}
}

// inBubble runs a test on a fake clock.
func inBubble(t *testing.T, f func(t *testing.T, w *ward)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		f(t, w)
		if w.stop != nil {
			w.stop()
		}
	})
}
