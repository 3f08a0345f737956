package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/agent/config"
)

// addressAgain is how long a gateway without its address waits for the next try:
// the bridge may not be there yet.
const addressAgain = 10 * time.Second

// addressUntilDone puts the gateway on the network, however long that takes.
func addressUntilDone(say *speaker) {
	last := ""
	for ; ; time.Sleep(addressAgain) {
		err := address()
		if err == nil {
			say.info("address the gateway: done")
			return
		}
		if err.Error() != last {
			last = err.Error()
			say.alarm("address the gateway: %s", last)
		}
	}
}

// address puts the gateway itself on the network, as its configuration says. A
// configuration that cannot be read leaves it without: it still forwards.
func address() error {
	text, err := os.ReadFile(root + configFile())
	if err != nil {
		return err
	}
	cfg, err := config.Parse(configFile(), text)
	if err != nil {
		return err
	}
	if cfg.Mgmt.Address == "dhcp" {
		return errors.New("mgmt.address is dhcp, which this image cannot ask for: name an address")
	}
	prefix, err := netip.ParsePrefix(cfg.Mgmt.Address)
	if err != nil {
		return fmt.Errorf("mgmt.address: %w", err)
	}
	return onNetwork(prefix, cfg.Mgmt.VLAN, cfg.Mgmt.Gateway)
}

// onNetwork gives the bridge, or its interface in a VLAN (0: none), the address,
// and the gateway's own packets a router ("": none).
func onNetwork(prefix netip.Prefix, id int, router string) error {
	link, err := netlink.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", bridgeName, err)
	}
	if id != 0 {
		if link, err = vlan(link, id); err != nil {
			return err
		}
	}
	if prefix.Addr().Is6() {
		if err := speakIPv6(link.Attrs().Name); err != nil {
			return fmt.Errorf("let %s speak IPv6: %w", link.Attrs().Name, err)
		}
	}
	on := &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
	if err := netlink.AddrReplace(link, &netlink.Addr{IPNet: on}); err != nil {
		return fmt.Errorf("give %s the address %s: %w", link.Attrs().Name, prefix, err)
	}
	if router == "" {
		return nil
	}
	gw := net.ParseIP(router)
	if err := netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: gw}); err != nil {
		return fmt.Errorf("route by %s: %w", gw, err)
	}
	return nil
}

// speakIPv6 ends for one interface what sysctls set for all. It takes its address
// and router from the configuration only: a router advertisement comes from
// anybody.
func speakIPv6(name string) error {
	for _, s := range [][2]string{{"accept_ra", "0"}, {"autoconf", "0"}, {"disable_ipv6", "0"}} {
		if err := os.WriteFile(filepath.Join("/proc/sys/net/ipv6/conf", name, s[0]), []byte(s[1]), 0); err != nil {
			return err
		}
	}
	return nil
}

// vlan is the bridge's interface in a VLAN.
func vlan(bridge netlink.Link, id int) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = "mgmt", bridge.Attrs().Index
	v := &netlink.Vlan{LinkAttrs: attrs, VlanId: id}
	if err := netlink.LinkAdd(v); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make VLAN %d: %w", id, err)
	}
	if err := netlink.LinkSetUp(v); err != nil {
		return nil, fmt.Errorf("bring VLAN %d up: %w", id, err)
	}
	return v, nil
}
