package rig

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

var _ hosttest.Rig = (*Rig)(nil)

// bridge is the name of the gateway's bridge.
const bridge = "ward"

// Options say how the rig is built.
type Options struct {
	// Firewall opens a client of the kernel; needed by those who ask for one.
	Firewall func() platform.Firewall
	// BridgeNetfilter hands bridged IP packets to iptables too, as hosts with
	// Docker or Kubernetes do (net.bridge.bridge-nf-call-*).
	BridgeNetfilter bool
	// Before is called in the empty namespace, before there is any port.
	Before func()
	// Learn lets the bridge learn addresses instead of flooding.
	Learn bool
}

// Rig is the bench. It belongs to the goroutine of its test.
type Rig struct {
	t     testing.TB
	opt   Options
	wires map[string]*wire
}

// Fresh is the environment in which a re-executed test binary moves into another
// namespace, for a test that needs one in which nothing has happened yet.
func Fresh() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, inside+"=") })
}

// Open builds the bench and takes it down at the end of the test. Only one can
// stand at a time: tests that use it do not run in parallel.
func Open(t testing.TB, opt Options) *Rig {
	t.Helper()
	if os.Getenv(inside) == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no network namespace for the rig (does TestMain call rig.Main?)")
		}
		t.Skip("no network namespace for the rig: needs root or unprivileged user namespaces")
	}
	r := &Rig{t: t, opt: opt, wires: map[string]*wire{}}
	r.clear()
	t.Cleanup(r.clear)
	flag := "0"
	if opt.BridgeNetfilter {
		flag = "1"
	}
	for _, family := range []string{"iptables", "ip6tables", "arptables"} {
		// Absent unless the kernel has br_netfilter, and then off is right.
		if err := sysctl("net/bridge/bridge-nf-call-"+family, flag); err != nil && opt.BridgeNetfilter {
			t.Skip("no br_netfilter in this kernel: ", err)
		}
	}
	if opt.Before != nil {
		opt.Before()
	}
	snooping, mask := false, uint16(1<<0x3|1<<0xe) // EAPOL and LLDP
	r.must("add bridge", netlink.LinkAdd(&netlink.Bridge{
		LinkAttrs:         netlink.LinkAttrs{Name: bridge},
		MulticastSnooping: &snooping,
		GroupFwdMask:      &mask,
	}))
	r.must("set bridge up", netlink.LinkSetUp(r.link(bridge)))
	for _, port := range hosttest.Ports() {
		r.Plug(port)
	}
	return r
}

// Device names the far end of a port's wire, where a device would be.
func Device(port string) string { return port + "-dev" }

// Plug makes the port with its wire and joins it to the bridge.
func (r *Rig) Plug(port string) {
	r.t.Helper()
	r.must("add veth "+port, netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: port},
		PeerName:  Device(port),
	}))
	near, far := r.link(port), r.link(Device(port))
	r.must("join bridge", netlink.LinkSetMaster(near, r.link(bridge)))
	r.must("set learning", netlink.LinkSetLearning(near, r.opt.Learn))
	r.must("set port up", netlink.LinkSetUp(near))
	r.must("set wire up", netlink.LinkSetUp(far))
	r.forwarding(port)
	w, err := openWire(far.Attrs().Index)
	r.must("open wire", err)
	r.wires[port] = w
}

// forwarding waits until the bridge has taken note of the port's carrier.
func (r *Rig) forwarding(port string) {
	r.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if r.link(port).Attrs().OperState == netlink.OperUp {
			return
		}
	}
	r.t.Fatalf("rig: port %s does not come up", port)
}

// Unplug removes the port: it vanishes from the gateway.
func (r *Rig) Unplug(port string) {
	r.t.Helper()
	r.wires[port].close()
	delete(r.wires, port)
	r.must("delete veth "+port, netlink.LinkDel(r.link(port)))
}

// Firewall opens a client of the kernel.
func (r *Rig) Firewall() platform.Firewall { return r.opt.Firewall() }

// Send puts a frame on the wire of the port.
func (r *Rig) Send(port string, frame []byte) {
	r.t.Helper()
	r.must("send to "+port, r.wires[port].send(frame))
}

// Receive returns the next frame that left by the port.
func (r *Rig) Receive(port string, wait time.Duration) []byte {
	r.t.Helper()
	frame, err := r.wires[port].receive(wait)
	r.must("receive from "+port, err)
	return frame
}

// Advance waits: a kernel's time cannot be hurried.
func (r *Rig) Advance(d time.Duration) { time.Sleep(d) }

func (r *Rig) link(name string) netlink.Link {
	r.t.Helper()
	link, err := netlink.LinkByName(name)
	r.must("find link "+name, err)
	return link
}

// clear removes all links and rules that a rig leaves.
func (r *Rig) clear() {
	for port, w := range r.wires {
		w.close()
		delete(r.wires, port)
	}
	for _, name := range append(hosttest.Ports(), bridge) {
		if link, err := netlink.LinkByName(name); err == nil {
			_ = netlink.LinkDel(link)
		}
	}
	flushRuleset(r.t)
}

func (r *Rig) must(what string, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("rig: %s: %v", what, err)
	}
}
