package command

import (
	"context"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// Every effect may be asked for again after a restart, and has to end soon once
// its context does. An error that has a method Reason() string in its chain is a
// refusal, any other a failure.

// Fence is what protects the ward.
type Fence interface {
	// Quarantine cuts a device off until o.For is over, or another call says.
	Quarantine(ctx context.Context, o Order) error
	// Release ends the quarantine; it is no error if there is none. With undone who
	// says that a person has undone what hooks that are gone had asked for.
	Release(ctx context.Context, id device.ID, who string, undone bool) error
	// Open lets everything of a gateway, port, device or segment pass for d.
	Open(ctx context.Context, scope, name string, d time.Duration, who string) error
	// Mode changes that of a segment.
	Mode(ctx context.Context, segment, mode, who string) error
	// SetPolicy puts another policy in force.
	SetPolicy(ctx context.Context, toml, who string) error
}

// Order is a quarantine.
type Order struct {
	ID     string // of the statement that asks
	Device device.ID
	Owner  string // who answers for it
	Reason string // for people
	For    time.Duration
	// Interlock: two people, one of them a clinical engineer, signed for this
	// device, and one of them stood at the gateway. Hooks are those that may run
	// on a life-sustaining device.
	Interlock bool
	Hooks     []string
}

// Devices is the inventory.
type Devices interface {
	Snapshot() *device.Snapshot
	// SetMarks replaces all that people say of devices. It does not block.
	SetMarks(marks map[device.ID]device.Marks)
}

// Box is the gateway itself.
type Box interface {
	// LifeSustaining reports that a device is, or counts as, life-sustaining, and
	// why. One that is not known counts as such.
	LifeSustaining(id device.ID) (yes bool, why string)
	// InUse reports that a life-sustaining device is in use, and which.
	InUse() (yes bool, which string)
	// Explain and Diagnostics return what JSON can be made of, without anything
	// personal.
	Explain(ctx context.Context, what signed.Explain) (any, error)
	Diagnostics(ctx context.Context) (any, error)
	// Reboot has the gateway start anew in a few seconds: answers still go out.
	Reboot(ctx context.Context) error
}

// Config is the configuration of the agent.
type Config interface {
	// Apply brings one in force, now or by ending the agent so that it starts
	// with desired.ConfigAtStart. "" is the one the gateway came with.
	Apply(ctx context.Context, toml string) error
	// InForce reports whether this agent works with it.
	InForce(toml string) bool
}

// Answers is where answers go, and what the broker retains comes from.
type Answers interface {
	// Answer takes one; it does not block.
	Answer(id string, payload []byte)
	// Again asks the broker once more, soon, for all that it retains of the desired
	// state; it does not block.
	Again()
}

// Codes are the one-time codes of the console: onsite.Codes.
type Codes interface {
	Use(subject, given string, now time.Duration) bool
}

// Room keeps the journal: a store.Room, or nil for none.
type Room interface {
	Load(fn func(key string, value []byte) error) error
	// Save keeps the values; nil deletes.
	Save(values map[string][]byte) error
}
