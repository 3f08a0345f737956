package agent

import (
	"context"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/report/outbox"
	"github.com/wardkeeper/wardkeeper/agent/report/vitals"
)

// diagnosticLines is how much of the log goes into diagnostics: 200 lines of at
// most 400 bytes.
const diagnosticLines = 200

// diagnosed is the state of the gateway for who looks for a fault from afar. It
// holds nothing that the health record, the console and its log do not show.
type diagnosed struct {
	Version    string                  `json:"version"`
	Image      string                  `json:"image,omitempty"`
	Slot       string                  `json:"slot,omitempty"`
	Kernel     string                  `json:"kernel,omitempty"`
	BootID     string                  `json:"boot_id"`
	RunningMS  int64                   `json:"running_ms"`
	Clock      string                  `json:"clock"`
	Conditions []event.HealthCondition `json:"conditions"`
	Counters   map[string]uint64       `json:"counters"`
	Ports      []event.HealthPort      `json:"ports"`
	Policy     int                     `json:"policy"`
	Generation uint64                  `json:"generation"`
	Outbox     outbox.Stats            `json:"outbox"`
	Devices    int                     `json:"devices"`
	Log        []string                `json:"log"` // the last lines
}

// Diagnostics is the state of the gateway.
func (b box) Diagnostics(context.Context) (any, error) {
	a := b.a
	now, rules := a.clock.Now(), a.enforce.Status()
	return diagnosed{Version: a.build.Version, Image: a.build.Image, Slot: a.build.Slot, Kernel: a.build.Kernel, BootID: now.BootID,
		RunningMS: (now.Mono - a.started).Milliseconds(), Clock: now.Quality.String(), Counters: a.counters(), Ports: a.healthPorts(),
		Policy: rules.Version, Generation: rules.Generation, Outbox: a.box.Stats(), Devices: len(a.devices.Snapshot().Devices),
		Conditions: vitals.Conditions(a.board.Conditions()), Log: a.journal.Last(diagnosticLines)}, nil
}
