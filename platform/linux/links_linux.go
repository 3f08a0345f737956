package linux

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	// dumpTries is how often a list is read that changed while we read it.
	dumpTries = 5
	// resubscribe is the pause before a broken subscription is made again.
	resubscribe = 100 * time.Millisecond
)

// links reads ports over rtnetlink, and their buses in sysfs.
type links struct{ sys string }

var _ platform.Links = links{}

// Link describes one port.
func (l links) Link(name string) (platform.Link, error) {
	found, err := findLink(name)
	if err != nil {
		return platform.Link{}, err
	}
	attrs := found.Attrs()
	master := ""
	if attrs.MasterIndex != 0 {
		bridge, err := netlink.LinkByIndex(attrs.MasterIndex)
		var gone netlink.LinkNotFoundError
		switch {
		case err == nil:
			master = bridge.Attrs().Name
		case !errors.As(err, &gone):
			return platform.Link{}, fmt.Errorf("find bridge of %s: %w", name, err)
		}
	}
	return l.describe(attrs, master)
}

// Links lists all ports.
func (l links) Links() ([]platform.Link, error) {
	var all []netlink.Link
	var err error
	for range dumpTries {
		if all, err = netlink.LinkList(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list ports: %w", err)
	}
	names := make(map[int]string, len(all))
	for _, one := range all {
		names[one.Attrs().Index] = one.Attrs().Name
	}
	out := make([]platform.Link, 0, len(all))
	for _, one := range all {
		attrs := one.Attrs()
		link, err := l.describe(attrs, names[attrs.MasterIndex])
		if err != nil {
			return nil, err
		}
		out = append(out, link)
	}
	slices.SortFunc(out, func(a, b platform.Link) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func (l links) describe(attrs *netlink.LinkAttrs, master string) (platform.Link, error) {
	link := platform.Link{
		Name:    attrs.Name,
		Index:   attrs.Index,
		Up:      attrs.Flags&net.FlagUp != 0,
		Carrier: attrs.RawFlags&unix.IFF_LOWER_UP != 0,
		Master:  master,
	}
	copy(link.MAC[:], attrs.HardwareAddr)
	var err error
	link.Bus, err = l.bus(attrs.Name)
	return link, err
}

// bus names what the hardware behind the port is plugged into. The link
// .../device is missing where there is none.
func (l links) bus(name string) (string, error) {
	target, err := os.Readlink(filepath.Join(l.sys, "class/net", name, "device/subsystem"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find bus of %s: %w", name, err)
	}
	return filepath.Base(target), nil
}

// Watch tells of changes to ports.
func (l links) Watch(ctx context.Context) (<-chan struct{}, error) {
	updates, err := subscribe(ctx)
	if err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	go func() {
		defer close(changed)
		for ctx.Err() == nil {
			if _, ok := <-updates; !ok {
				// The subscription broke, as after an overrun. What was missed
				// is not known, so this is a change too.
				updates = renew(ctx)
			}
			if ctx.Err() == nil {
				notify(changed)
			}
		}
	}()
	return changed, nil
}

// subscribe opens a subscription; its channel is closed when it breaks or ctx
// ends.
func subscribe(ctx context.Context) (<-chan netlink.LinkUpdate, error) {
	raw, updates := make(chan netlink.LinkUpdate), make(chan netlink.LinkUpdate)
	ctx, cancel := context.WithCancel(ctx)
	if err := netlink.LinkSubscribe(raw, ctx.Done()); err != nil {
		cancel()
		return nil, fmt.Errorf("watch ports: %w", err)
	}
	// raw is read to its end: the library would wait for ever to get rid of a
	// last update, and keep its socket.
	go func() {
		defer cancel()
		defer close(updates)
		for update := range raw {
			select {
			case updates <- update:
			case <-ctx.Done():
			}
		}
	}()
	return updates, nil
}

// renew subscribes again, however long that takes; nil when ctx ended.
func renew(ctx context.Context) <-chan netlink.LinkUpdate {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(resubscribe):
		}
		if updates, err := subscribe(ctx); err == nil {
			return updates
		}
	}
}

// notify leaves a value in the channel unless there is one already.
func notify(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// portIndex finds the index of a port.
func portIndex(name string) (int, error) {
	link, err := findLink(name)
	if err != nil {
		return 0, err
	}
	return link.Attrs().Index, nil
}

func findLink(name string) (netlink.Link, error) {
	link, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		err = platform.ErrNoPort
	}
	if err != nil {
		return nil, fmt.Errorf("find port %s: %w", name, err)
	}
	// The kernel knows ports by alternative names too; ours are the first.
	if link.Attrs().Name != name {
		return nil, fmt.Errorf("find port %s: %w", name, platform.ErrNoPort)
	}
	return link, nil
}
