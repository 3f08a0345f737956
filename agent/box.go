package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/lifesign"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// box is the gateway to those who command it.
type box struct{ a *Agent }

// present is how long a life-sustaining device counts as in use after its last
// frame: one that says nothing for a while may still hang on a patient.
const present = 24 * time.Hour

// unused reports a device that nobody uses now. One that is there counts as in
// use unless it says itself, by its state or its messages, that it is not: what
// is silent, quiet or unknown may work all the same, and so may what stands
// behind an address of several. That it was not seen for a day counts only where
// its silence was long as well: the clock may have been set.
func unused(d *device.Device, now time.Time) bool {
	u := d.Utilisation
	if now.Sub(d.LastSeen) > present {
		return u.Use == device.Off || u.By == device.NoProof
	}
	return u.Unused() && d.Identity.Contradiction == ""
}

// LifeSustaining reports that a device is, or counts as, life-sustaining.
func (b box) LifeSustaining(id device.ID) (yes bool, why string) {
	return b.a.enforce.LifeSustaining(id)
}

// unsure is how long an inventory that began anew does not yet show that nobody
// is there: a device that works sends sooner.
const unsure = 10 * time.Minute

// InUse reports that a life-sustaining device is in use, and which.
func (b box) InUse() (yes bool, which string) {
	stamp, opened := b.a.clock.Now(), b.a.opened
	anew := opened.Created || opened.Reset || opened.RAM
	if !b.a.enforce.Settled() || anew && stamp.Mono-b.a.started < unsure {
		return true, "the devices here are not all known yet"
	}
	now := stamp.Wall
	devices := b.a.devices.Snapshot().Devices
	for i := range devices {
		d := &devices[i]
		if unused(d, now) {
			continue
		}
		if yes, why := b.a.enforce.LifeSustaining(d.ID); yes {
			return true, fmt.Sprintf("%s: %s", d.ID, why)
		}
	}
	return false, ""
}

// Reboot has PID 1 start the box anew, which the agent may not do itself.
func (b box) Reboot(context.Context) error {
	if b.a.by.Signs == nil {
		return &signed.Refusal{Code: signed.ReasonNotAllowed, Text: "nothing here starts the box anew: the agent was not started by wardinit"}
	}
	if _, err := b.a.by.Signs.Write([]byte{lifesign.Reboot}); err != nil {
		return fmt.Errorf("ask for a restart of the box: %w", err)
	}
	return nil
}
