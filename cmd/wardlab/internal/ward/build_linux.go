package ward

import (
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// Names of the gateway's ports and bridge.
const (
	Uplink = "up0"
	Bridge = "br0"
)

// WardPorts are the gateway's ports towards the basic ward.
func WardPorts() []string { return []string{"w1", "w2", "w3", "w4", "w5"} }

// Ports are the gateway's ports towards this ward.
func (w *Ward) Ports() []string {
	if w.Cast.Kind == cast.Basic {
		return WardPorts()
	}
	return append(WardPorts(), cast.BedsidePort)
}

// forwardMask lets a bridge pass on LLDP (bit 14) and 802.1X (bit 3), which it
// eats otherwise: the gateway must be transparent.
const forwardMask = 0x4008

// Ward is the built ward.
type Ward struct {
	Cast     *cast.Cast
	hosts    map[cast.Part]*Host
	networks []*namespace
	apart    bool // the gateway's ports are not joined by a bridge
}

// Host returns the host that plays p.
func (w *Ward) Host(p cast.Part) *Host { return w.hosts[p] }

// Build makes the whole ward around the current network namespace, which
// becomes the gateway. On an error nothing is left behind.
func Build(c *cast.Cast) (*Ward, error) { return construct(c, false) }

// BuildApart makes the ward with the gateway's ports left as loose ends in the
// current namespace, for a gateway that stands elsewhere: see Patch.
func BuildApart(c *cast.Cast) (*Ward, error) { return construct(c, true) }

func construct(c *cast.Cast, apart bool) (_ *Ward, err error) {
	w := &Ward{Cast: c, hosts: map[cast.Part]*Host{}, apart: apart}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	if err := gateway(apart); err != nil {
		return nil, err
	}
	// The switches on w5 and at the bedside and the network behind the uplink are
	// bridges in namespaces of their own, reached by one cable each.
	closet, err := w.network("w5")
	if err != nil {
		return nil, err
	}
	core, err := w.network(Uplink)
	if err != nil {
		return nil, err
	}
	var bedside *namespace
	if c.Kind != cast.Basic {
		if bedside, err = w.network(cast.BedsidePort); err != nil {
			return nil, err
		}
	}
	n := 0 // of ports on the switches
	for _, p := range c.Parts() {
		at, port := (*namespace)(nil), p.Port()
		switch {
		case p.Uplink():
			at = core
		case port == "w5":
			at = closet
		case port == cast.BedsidePort:
			at = bedside
		}
		if at != nil {
			n++
			port = fmt.Sprintf("p%d", n)
		}
		if err := w.plug(p, at, port); err != nil {
			return nil, fmt.Errorf("plug in %v: %w", p, err)
		}
	}
	if err := w.settle(); err != nil {
		return nil, err
	}
	return w, nil
}

// settle waits until every cable has carrier: a bridge forwards nothing to a
// port before the kernel's link watch has told it so.
func (w *Ward) settle() error {
	spaces := append([]*namespace{nil}, w.networks...)
	for _, h := range w.hosts {
		spaces = append(spaces, h.ns)
	}
	deadline := time.Now().Add(5 * time.Second)
	for _, ns := range spaces {
		for {
			down, err := ns.down()
			if err != nil {
				return err
			}
			if down == "" {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s has no carrier after 5 s", down)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

// down names a cable's end that is not up, "" if all are.
func (n *namespace) down() (name string, err error) {
	err = n.do(func() error {
		links, err := netlink.LinkList()
		if err != nil {
			return fmt.Errorf("list links: %w", err)
		}
		for _, l := range links {
			if l.Type() == "veth" && l.Attrs().OperState != netlink.OperUp {
				name = l.Attrs().Name
			}
		}
		return nil
	})
	return name, err
}

// gateway sets up the current namespace and its bridge: transparent, silent.
func gateway(apart bool) error {
	if err := quiet(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	// br_netfilter, where built in, would pass bridged frames through the inet
	// tables as well.
	for _, s := range []string{"iptables", "ip6tables", "arptables"} {
		if err := sysctl("net/bridge/bridge-nf-call-"+s, "0"); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("gateway: find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("gateway: set lo up: %w", err)
	}
	if apart {
		return nil
	}
	if err := bridge(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

// bridge makes br0 in the current namespace.
func bridge() error {
	off, mask := false, uint16(forwardMask)
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: Bridge}, MulticastSnooping: &off, GroupFwdMask: &mask}
	if err := netlink.LinkAdd(br); err != nil {
		return Diagnose(fmt.Errorf("add bridge: %w", err), readSwitch)
	}
	if err := netlink.LinkSetUp(br); err != nil {
		return fmt.Errorf("set bridge up: %w", err)
	}
	return nil
}

// port makes a card of the gateway a port of it.
func (w *Ward) port(card string) error {
	if !w.apart {
		return join(card)
	}
	l, err := netlink.LinkByName(card)
	if err != nil {
		return fmt.Errorf("find %s: %w", card, err)
	}
	return start(l)
}

// start has a card send whole frames and brings it up.
func start(card netlink.Link) error {
	name := card.Attrs().Name
	if err := wholeFrames(name); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(card); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// join makes a card of the current namespace a port of its bridge.
func join(card string) error {
	br, err := netlink.LinkByName(Bridge)
	if err != nil {
		return fmt.Errorf("find bridge: %w", err)
	}
	l, err := netlink.LinkByName(card)
	if err != nil {
		return fmt.Errorf("find %s: %w", card, err)
	}
	if err := netlink.LinkSetMaster(l, br); err != nil {
		return fmt.Errorf("add %s to the bridge: %w", card, err)
	}
	return start(l)
}

// network makes a switch in a namespace of its own, cabled to a gateway port.
func (w *Ward) network(port string) (*namespace, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	w.networks = append(w.networks, ns)
	if err := ns.do(func() error {
		if err := quiet(); err != nil {
			return err
		}
		return bridge()
	}); err != nil {
		return nil, fmt.Errorf("switch behind %s: %w", port, err)
	}
	if err := cable(nil, port, ns, "cable", nil); err != nil {
		return nil, err
	}
	if err := w.port(port); err != nil {
		return nil, err
	}
	return ns, ns.do(func() error { return join("cable") })
}

// plug makes a host and cables its card to port of the network at (nil: the
// gateway).
func (w *Ward) plug(p cast.Part, at *namespace, port string) error {
	ns, err := newNamespace()
	if err != nil {
		return err
	}
	h := &Host{Member: w.Cast.Member(p), ns: ns}
	w.hosts[p] = h
	if err := ns.do(quiet); err != nil {
		return err
	}
	if err := cable(at, port, ns, link, h.MAC[:]); err != nil {
		return err
	}
	join := join
	if at == nil {
		join = w.port
	}
	if err := at.do(func() error { return join(port) }); err != nil {
		return err
	}
	return ns.do(func() error {
		for _, name := range []string{"lo", link} {
			l, err := netlink.LinkByName(name)
			if err != nil {
				return fmt.Errorf("find %s: %w", name, err)
			}
			if err := netlink.LinkSetUp(l); err != nil {
				return fmt.Errorf("set %s up: %w", name, err)
			}
		}
		return wholeFrames(link)
	})
}

// cable makes a veth pair with its ends in two namespaces.
func cable(at *namespace, port string, far *namespace, card string, mac net.HardwareAddr) error {
	return at.do(func() error {
		v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: port}, PeerName: card, PeerHardwareAddr: mac,
			PeerNamespace: netlink.NsFd(far.handle)}
		if err := netlink.LinkAdd(v); err != nil {
			return Diagnose(fmt.Errorf("cable %s to %s: %w", port, card, err), readSwitch)
		}
		return nil
	})
}

// Close takes the ward down, so that another can be built in its place.
func (w *Ward) Close() {
	// A deleted port takes the far end of its cable with it.
	for _, name := range append(w.Ports(), Uplink, Bridge, desk) {
		if l, err := netlink.LinkByName(name); err == nil {
			_ = netlink.LinkDel(l)
		}
	}
	for _, h := range w.hosts {
		_ = h.ns.close()
	}
	for _, n := range w.networks {
		_ = n.close()
	}
}
