//go:build linux

package main

// The interlock on the real kernel: what one person orders cuts no
// life-sustaining device from its clinical peers. The whole suite runs on the
// fake, in agent/protect/enforce.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

func TestKernelInterlock(t *testing.T) {
	r := openRig(t, rig.Options{})
	const pump, monitor, intruder = device.ID("00:11:22:00:00:01"), device.ID("00:11:22:00:00:02"), device.ID("00:11:22:00:00:66")
	snap := wardSnapshot(t)
	snap.Devices = append(snap.Devices, device.Device{ID: intruder, MAC: fact.MAC{0, 0x11, 0x22, 0, 0, 0x66},
		Identity: device.Identity{Role: "workstation-pc", Class: device.Other, Confidence: device.Likely}})
	for i := range snap.Devices {
		switch d := &snap.Devices[i]; d.ID {
		case pump: // talked down by forged facts, since before it was known
			d.Identity = device.Identity{Role: "printer", Class: device.Support, Confidence: device.Confirmed, RunnerUp: "infusion-pump-lvp",
				Evidence: []device.Evidence{{Role: "printer", Weight: 9}, {Role: "infusion-pump-lvp", Weight: 5}}}
		case monitor: // tagged away by one person
			d.Tags = []string{"desk"}
		}
	}
	task := enforce.New(kernelOptions(t, snap, &emitted{}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- task.Run(ctx) }()
	select {
	case <-task.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("not ready")
	}
	clinicalRows := slices.Concat(named(t, "pump opens tls to its server", "server opens a connection to the pump")[:2], named(t, "monitor data to the central station", "central station asks the monitor"))
	clinical := func(when string) {
		t.Helper()
		rows := slices.Clone(clinicalRows)
		for i := range rows {
			rows[i].Name = when + ": " + rows[i].Name
		}
		hosttest.EvalRows(t, r, rows)
	}
	passes := func(when, name, to string, pass bool) {
		t.Helper()
		row := named(t, name)[:1]
		row[0].Name, row[0].Want = when+": "+name, map[string]bool{to: pass}
		hosttest.EvalRows(t, r, row)
	}
	refused := func(what string, err error) {
		t.Helper()
		var no interface{ Reason() string }
		if !errors.As(err, &no) || no.Reason() != "interlock" {
			t.Errorf("%s: error %v", what, err)
		}
		clinical(what)
	}
	clinical("forged facts and a tag")
	for _, id := range []device.ID{pump, monitor, "00:11:22:00:00:99"} {
		refused("quarantine of "+string(id), task.Quarantine(ctx, enforce.Order{Device: id, Owner: "mia", Reason: "a trick", For: time.Hour}))
	}
	lab := string(wardPolicy(t, "lab.policy.toml").Source)
	refused("a policy that has the monitor's address behind the uplink", task.SetPolicy(ctx, strings.Replace(lab, `"10.20.0.53"`, `"10.20.0.53", "10.20.7.12"`, 1), "mia"))
	if err := task.SetPolicy(ctx, strings.ReplaceAll(strings.ReplaceAll(lab, "10.20.3.9", "10.20.3.77"), `"monitor`, `"xmonitor`), "mia"); err != nil {
		t.Fatal(err)
	}
	clinical("a policy with another station")
	for _, mode := range []string{"observe", "enforce"} {
		if err := task.Mode(ctx, "infusion", mode, "mia"); err != nil {
			t.Fatal(err)
		}
		clinical("mode " + mode)
	}

	// One who is not life-sustaining is cut off at once, and released.
	begun := time.Now()
	if err := task.Quarantine(ctx, enforce.Order{Device: intruder, Owner: "mia", Reason: "scans the ward", For: time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Logf("in quarantine, and read back, after %v", time.Since(begun))
	hosttest.EvalRows(t, r, packetsOf(t, "quarantine.packets.tsv")[:10])
	if err := task.Release(ctx, intruder, "mia"); err != nil {
		t.Fatal(err)
	}
	clinical("quarantine of another")

	// Signed for, the pump is cut; break-glass opens it all the same, and what
	// was opened and ordered ends with the agent dead.
	if err := task.Quarantine(ctx, enforce.Order{Device: pump, Owner: "mia, otto", Reason: "infected", For: 6 * time.Second, Interlock: true}); err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	const tls = "pump opens tls to its server"
	passes("interlock", tls, hosttest.Uplink, false)
	if err := task.Open(ctx, "device", string(pump), 2*time.Second, "mia"); err != nil {
		t.Fatal(err)
	}
	passes("opened", tls, hosttest.Uplink, true)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	r.Advance(time.Until(begun.Add(4 * time.Second)))
	passes("closed again", tls, hosttest.Uplink, false)
	r.Advance(time.Until(begun.Add(7500 * time.Millisecond)))
	clinical("over")
}
