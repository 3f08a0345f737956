package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/agent/config"
)

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
	link, err := netlink.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", bridgeName, err)
	}
	if cfg.Mgmt.VLAN != 0 {
		if link, err = vlan(link, cfg.Mgmt.VLAN); err != nil {
			return err
		}
	}
	on := &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
	if err := netlink.AddrReplace(link, &netlink.Addr{IPNet: on}); err != nil {
		return fmt.Errorf("give %s the address %s: %w", link.Attrs().Name, prefix, err)
	}
	if cfg.Mgmt.Gateway == "" {
		return nil
	}
	gw := net.ParseIP(cfg.Mgmt.Gateway)
	if err := netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: gw}); err != nil {
		return fmt.Errorf("route by %s: %w", gw, err)
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
