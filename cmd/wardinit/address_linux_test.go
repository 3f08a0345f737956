package main

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// onBox runs in a network namespace that is set up as PID 1 does, on a thread that
// ends with it.
func onBox(t *testing.T, do func(t *testing.T)) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread goes
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		}
		if err == nil {
			do(t)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skipf("the kernel gives us no network of our own: %v", err)
	}
}

// TestOnNetwork: the gateway gets the address of its configuration, by IPv4 or
// IPv6, in a VLAN or not, and a second try changes nothing.
func TestOnNetwork(t *testing.T) {
	for _, c := range []struct {
		name, prefix, router string
		vlan                 int
		link                 string
	}{
		{"IPv4", "10.20.0.9/16", "10.20.0.1", 0, bridgeName},
		{"IPv4 in a VLAN", "10.20.0.9/16", "", 7, "mgmt"},
		{"IPv6", "2001:db8::9/64", "2001:db8::1", 0, bridgeName},
		{"IPv6 in a VLAN", "2001:db8::9/64", "2001:db8::1", 7, "mgmt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBox(t, func(t *testing.T) {
				prefix := netip.MustParsePrefix(c.prefix)
				if err := onNetwork(prefix, c.vlan, c.router); err == nil {
					t.Error("without a bridge there is an address")
				}
				attrs := netlink.NewLinkAttrs()
				attrs.Name = bridgeName
				br := &netlink.Bridge{LinkAttrs: attrs}
				if err := netlink.LinkAdd(br); err != nil {
					t.Errorf("make bridge: %v", err)
					return
				}
				if err := netlink.LinkSetUp(br); err != nil {
					t.Error(err)
				}
				for range 2 {
					err := onNetwork(prefix, c.vlan, c.router)
					if errors.Is(err, unix.EOPNOTSUPP) && c.vlan != 0 {
						t.Logf("not tested, the kernel has no VLANs: %v", err)
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
				link, err := netlink.LinkByName(c.link)
				if err != nil {
					t.Error(err)
					return
				}
				family, found := netlink.FAMILY_V4, 0
				if prefix.Addr().Is6() {
					family = netlink.FAMILY_V6
				}
				addrs, err := netlink.AddrList(link, family)
				for _, a := range addrs {
					if a.IPNet.String() == c.prefix {
						found++
					}
				}
				if err != nil || found != 1 {
					t.Errorf("addresses %v, %v", addrs, err)
				}
				routes, err := netlink.RouteList(link, family)
				found = 0
				for _, r := range routes {
					if r.Gw != nil && r.Gw.String() == c.router {
						found++
					}
				}
				if err != nil || found != min(len(c.router), 1) {
					t.Errorf("routes %v, %v", routes, err)
				}
			})
		})
	}
}
