package ward

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// desk is the lab's own card in the network behind the uplink.
const desk = "desk0"

// Desk gives the current namespace a card in the network behind the uplink, for
// what the lab itself offers to a gateway that stands elsewhere.
func (w *Ward) Desk(addr netip.Prefix) error {
	here, err := netns.Get()
	if err != nil {
		return fmt.Errorf("lab's own card: %w", err)
	}
	own := &namespace{here}
	defer own.close()
	core := w.networks[len(w.networks)-1] // built last
	if err := cable(core, "desk", own, desk, nil); err != nil {
		return err
	}
	if err := core.do(func() error { return join("desk") }); err != nil {
		return err
	}
	l, err := netlink.LinkByName(desk)
	if err != nil {
		return fmt.Errorf("find %s: %w", desk, err)
	}
	if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: ipNet(addr)}); err != nil {
		return fmt.Errorf("add address %s: %w", addr, err)
	}
	return start(l)
}
