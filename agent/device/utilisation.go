package device

import "time"

// Use is what a device is doing, as far as its traffic tells: a state, never a
// value.
type Use uint8

// Uses. Unknown is the zero value: the device is there, or was not looked at
// for long enough, and nothing tells use from idling.
const (
	UseUnknown Use = iota
	Off            // no frame for long, or it says so
	OnIdle         // only what a device sends that nobody uses
	InUse
	Service // a demonstration, a test, maintenance
)

// Uses lists all.
func Uses() [5]Use { return [5]Use{UseUnknown, Off, OnIdle, InUse, Service} }

// String is the stable name.
func (u Use) String() string {
	switch u {
	case UseUnknown:
		return "unknown"
	case Off:
		return "off"
	case OnIdle:
		return "on-idle"
	case InUse:
		return "in-use"
	case Service:
		return "service"
	}
	return "invalid"
}

// Proof is what a Use was decided by.
type Proof uint8

// Proofs, the strongest first. None is the zero value: nothing was looked at.
const (
	NoProof    Proof = iota
	ByReport         // E1: the device reports its state
	ByMessages       // E2: the class of the messages that it sends
	ByRate           // E3: its traffic with its usual peers, compared with its own past
	ByPresence       // E4: it sends something, or nothing
)

// Proofs lists those that decide.
func Proofs() [4]Proof { return [4]Proof{ByReport, ByMessages, ByRate, ByPresence} }

// String is the stable name.
func (p Proof) String() string {
	switch p {
	case NoProof:
		return "none"
	case ByReport:
		return "e1"
	case ByMessages:
		return "e2"
	case ByRate:
		return "e3"
	case ByPresence:
		return "e4"
	}
	return "invalid"
}

// Utilisation is what a device is doing now. It stays inside the box: what is
// told outside are minutes by the hour.
type Utilisation struct {
	Use   Use
	By    Proof
	Since time.Time // of Use, to the minute; zero where nothing was looked at
}

// Unused reports that the device itself says that nobody uses it: by its state,
// or by the messages that it sends. Silence and little traffic say no such
// thing.
func (u Utilisation) Unused() bool {
	return (u.Use == OnIdle || u.Use == Off) && (u.By == ByReport || u.By == ByMessages)
}
