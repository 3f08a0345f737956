package linux

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Bridge is the bump in the wire that a gateway is: all frames between its
// ports pass, those that a switch would keep for itself too (IEEE 802.1D §7.12.6).
type Bridge struct {
	Name  string
	Ports []string
}

// groupForward has a bit for each group address 01-80-C2-00-00-0X that is
// forwarded (EAPOL, LLDP, …): all but those of which the kernel refuses it,
// pause frames and LACP. It forwards spanning tree by itself, having none.
const groupForward = 0xfff8

// options of the bridge in sysfs, and what each must be.
func (b Bridge) options() [][2]string {
	return [][2]string{
		{"group_fwd_mask", fmt.Sprintf("%#x", groupForward)},
		{"multicast_snooping", "0"}, // a group without a querier would go silent
		{"stp_state", "0"},          // a port must forward at once, whatever is plugged in
		{"vlan_filtering", "0"},     // not there where the kernel cannot
		{"forward_delay", "0"},
	}
}

// Up makes the bridge what it should be, from whatever it is, and lets it
// forward. It may be called again. Whatever goes wrong is an error only after
// all else was done: one port, or one option, must not silence the rest.
func (b Bridge) Up() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = b.Name
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make bridge %s: %w", b.Name, err)
	}
	link, err := findLink(b.Name)
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range b.options() {
		if err := os.WriteFile(b.option(o[0]), []byte(o[1]), 0); err != nil && !errors.Is(err, os.ErrNotExist) && !os.IsPermission(err) {
			errs = append(errs, fmt.Errorf("set bridge option: %w", err)) // and connect the ports all the same
		}
	}
	for _, p := range b.Ports {
		errs = append(errs, b.attach(p, link))
	}
	if err := netlink.LinkSetUp(link); err != nil {
		errs = append(errs, fmt.Errorf("bring bridge %s up: %w", b.Name, err))
	}
	return errors.Join(errs...)
}

func (b Bridge) attach(port string, bridge netlink.Link) error {
	link, err := findLink(port)
	if err != nil {
		return err
	}
	// The gateway has no address on its ports, and says nothing there; where that
	// cannot be set the port works all the same.
	silent := os.WriteFile(filepath.Join("/proc/sys/net/ipv6/conf", port, "disable_ipv6"), []byte("1"), 0)
	if errors.Is(silent, os.ErrNotExist) {
		silent = nil
	}
	if link.Attrs().MasterIndex != bridge.Attrs().Index {
		if err := netlink.LinkSetMaster(link, bridge); err != nil {
			return fmt.Errorf("put port %s into bridge %s: %w", port, b.Name, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring port %s up: %w", port, err)
	}
	return silent
}

// BridgeHealth is what is wrong with a bridge, the worst last.
type BridgeHealth struct {
	Missing []string // ports that do not exist (any more)
	// Wrong is what does not keep the others from being connected: a port that
	// is down or apart, an option, a module that takes frames past the rules.
	Wrong error
	// Cut says that nothing is forwarded although it could be.
	Cut error
}

// Check says how the bridge is.
func (b Bridge) Check() BridgeHealth {
	bridge, err := findLink(b.Name)
	if err != nil {
		return BridgeHealth{Cut: err}
	}
	var h BridgeHealth
	var wrong []error
	there, connected := 0, 0
	for _, p := range b.Ports {
		link, err := findLink(p)
		if errors.Is(err, platform.ErrNoPort) {
			h.Missing = append(h.Missing, p)
			continue
		}
		there++
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case link.Attrs().MasterIndex != bridge.Attrs().Index:
			wrong = append(wrong, fmt.Errorf("port %s is not in bridge %s", p, b.Name))
		case link.Attrs().Flags&net.FlagUp == 0:
			wrong = append(wrong, fmt.Errorf("port %s is down", p))
		default:
			connected++
		}
	}
	switch {
	case bridge.Attrs().Flags&net.FlagUp == 0:
		h.Cut = fmt.Errorf("bridge %s is down", b.Name)
	case connected < min(there, 2):
		h.Cut = fmt.Errorf("%d of %d ports are connected: %w", connected, there, errors.Join(wrong...))
	}
	for _, o := range b.options() {
		got, err := os.ReadFile(b.option(o[0]))
		switch is := strings.TrimSpace(string(got)); {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			wrong = append(wrong, fmt.Errorf("read bridge option: %w", err))
		case is != o[1]:
			wrong = append(wrong, fmt.Errorf("bridge %s: %s is %s, want %s", b.Name, o[0], is, o[1]))
		}
	}
	// With it, rules of other tables see bridged packets, and ours at priority
	// 0 would not.
	if _, err := os.Stat("/sys/module/br_netfilter"); err == nil {
		wrong = append(wrong, errors.New("module br_netfilter is loaded: bridged packets take another path through the rules"))
	}
	h.Wrong = errors.Join(wrong...)
	return h
}

func (b Bridge) option(name string) string {
	return filepath.Join("/sys/class/net", b.Name, "bridge", name)
}
