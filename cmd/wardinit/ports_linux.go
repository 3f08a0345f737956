package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/images"
)

// namePorts gives the network ports the names that the board has for them, in
// the order in which they stand on their bus: the kernel's own names follow
// whichever driver was faster. All are down afterwards.
func namePorts(ports images.Ports) error {
	want := ports.All()
	have, err := awaitPorts(len(want), func() ([]string, error) { return hardware("/sys") })
	if err != nil {
		return err
	}
	var errs []error
	if len(have) < len(want) {
		errs = append(errs, fmt.Errorf("%d network ports are there, the board has %d", len(have), len(want)))
	}
	names := want[:min(len(want), len(have))]
	if slices.Equal(names, have) { // most often: the ward waits for each renaming
		for _, name := range names {
			errs = append(errs, rename(name, name))
		}
		return errors.Join(errs...)
	}
	// In two rounds, since a name may still be another port's.
	for i, name := range have {
		errs = append(errs, rename(name, fmt.Sprintf("port%d", i)))
	}
	for i, name := range names {
		errs = append(errs, rename(fmt.Sprintf("port%d", i), name))
	}
	return errors.Join(errs...)
}

// portWait is how long the ward waits for a port whose driver is slow.
const portWait = 3 * time.Second

// awaitPorts returns the ports that are there once there are as many as the
// board has, or after portWait.
func awaitPorts(want int, list func() ([]string, error)) ([]string, error) {
	for end := time.Now().Add(portWait); ; time.Sleep(20 * time.Millisecond) {
		have, err := list()
		if err != nil || len(have) >= want || !time.Now().Before(end) {
			return have, err
		}
	}
}

// rename brings a port down and names it.
func rename(from, to string) error {
	link, err := netlink.LinkByName(from)
	if err != nil {
		return fmt.Errorf("find port %s: %w", from, err)
	}
	if err := netlink.LinkSetDown(link); err != nil {
		return fmt.Errorf("bring port %s down: %w", from, err)
	}
	if from == to {
		return nil
	}
	if err := netlink.LinkSetName(link, to); err != nil {
		return fmt.Errorf("name port %s %s: %w", from, to, err)
	}
	return nil
}

// hardware lists the ports with hardware behind them by their place on the bus.
func hardware(sys string) ([]string, error) {
	devices, err := filepath.Glob(filepath.Join(sys, "class/net/*/device"))
	if err != nil {
		return nil, err
	}
	type port struct{ name, place string }
	var found []port
	for _, d := range devices {
		place, err := filepath.EvalSymlinks(d)
		if errors.Is(err, os.ErrNotExist) {
			continue // it is gone again
		}
		if err != nil {
			return nil, err
		}
		found = append(found, port{filepath.Base(filepath.Dir(d)), place})
	}
	slices.SortFunc(found, func(a, b port) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.name, b.name)) })
	var out []string
	for _, p := range found {
		out = append(out, p.name)
	}
	return out, nil
}
