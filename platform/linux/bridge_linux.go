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
	Sys   string // where sysfs is mounted, "" for /sys
	Proc  string // where procfs is mounted, "" for /proc
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
// forward. It may be called again. A port that does not exist is an error only
// after all others are up: one missing port must not silence the rest.
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
	for _, o := range b.options() {
		if _, err := os.Stat(b.option(o[0])); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := os.WriteFile(b.option(o[0]), []byte(o[1]), 0); err != nil {
			return fmt.Errorf("set bridge option: %w", err)
		}
	}
	var errs []error
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
	// The gateway has no address on its ports, and says nothing there.
	if err := os.WriteFile(filepath.Join(b.proc(), "sys/net/ipv6/conf", port, "disable_ipv6"), []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("silence port %s: %w", port, err)
	}
	if link.Attrs().MasterIndex != bridge.Attrs().Index {
		if err := netlink.LinkSetMaster(link, bridge); err != nil {
			return fmt.Errorf("put port %s into bridge %s: %w", port, b.Name, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring port %s up: %w", port, err)
	}
	return nil
}

// Check says what keeps the bridge from forwarding between its ports, and what
// would let frames past the rules. Ports that do not exist (any more) are
// missing; that alone is no error.
func (b Bridge) Check() (missing []string, err error) {
	bridge, err := findLink(b.Name)
	if err != nil {
		return nil, err
	}
	var errs []error
	if bridge.Attrs().Flags&net.FlagUp == 0 {
		errs = append(errs, fmt.Errorf("bridge %s is down", b.Name))
	}
	for _, p := range b.Ports {
		link, err := findLink(p)
		switch {
		case errors.Is(err, platform.ErrNoPort):
			missing = append(missing, p)
		case err != nil:
			errs = append(errs, err)
		case link.Attrs().MasterIndex != bridge.Attrs().Index:
			errs = append(errs, fmt.Errorf("port %s is not in bridge %s", p, b.Name))
		case link.Attrs().Flags&net.FlagUp == 0:
			errs = append(errs, fmt.Errorf("port %s is down", p))
		}
	}
	for _, o := range b.options() {
		got, err := os.ReadFile(b.option(o[0]))
		switch is := strings.TrimSpace(string(got)); {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			errs = append(errs, fmt.Errorf("read bridge option: %w", err))
		case is != o[1]:
			errs = append(errs, fmt.Errorf("bridge %s: %s is %s, want %s", b.Name, o[0], is, o[1]))
		}
	}
	// With it, rules of other tables see bridged packets, and ours at priority
	// 0 would not.
	if _, err := os.Stat(filepath.Join(b.sys(), "module/br_netfilter")); err == nil {
		errs = append(errs, errors.New("module br_netfilter is loaded: bridged packets take another path through the rules"))
	}
	return missing, errors.Join(errs...)
}

func (b Bridge) option(name string) string {
	return filepath.Join(b.sys(), "class/net", b.Name, "bridge", name)
}

func (b Bridge) sys() string {
	if b.Sys == "" {
		return "/sys"
	}
	return b.Sys
}

func (b Bridge) proc() string {
	if b.Proc == "" {
		return "/proc"
	}
	return b.Proc
}
