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
// frame: until utilisation is read, whatever is there counts, and one that says
// nothing for a while may still hang on a patient.
const present = 24 * time.Hour

// LifeSustaining reports that a device is, or counts as, life-sustaining.
func (b box) LifeSustaining(id device.ID) (yes bool, why string) {
	return b.a.enforce.LifeSustaining(id)
}

// InUse reports that a life-sustaining device is in use, and which.
func (b box) InUse() (yes bool, which string) {
	now := b.a.clock.Now().Wall
	for _, d := range b.a.devices.Snapshot().Devices {
		if now.Sub(d.LastSeen) > present {
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
