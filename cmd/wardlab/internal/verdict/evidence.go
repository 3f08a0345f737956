package verdict

import (
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
)

// Confirmed is the only confidence that lets a role be enforced.
const Confirmed = "confirmed"

// Likely is the confidence below it.
const Likely = "likely"

// Enforce is the only mode of a segment that denies anything.
const Enforce = "enforce"

// Verdicts of a deny event.
const (
	Denied  = "denied"
	Claimed = "claimed-address"
)

// Evidence is all that a run leaves to be judged.
type Evidence struct {
	Agent    bool   // an agent was started
	Mode     string // of the policy's segments
	AgentEnd string // how it ended by itself, "" if it did not
	Roles    map[cast.Part]Role
	Parts    []cast.Part // of the ward; nil: the basic one
	Work     []Exchange  // that must have been answered besides Required
	// NotInPlace says why enforcement was not in place when the intruder
	// started, "" if it was.
	NotInPlace string

	Attempts []sim.Attempt
	Arrivals map[cast.Part]map[string]uint64 // frames of the intruder by host and service
	Claims   map[cast.Part]uint64            // forged address claims by host
	Pairs    []Pair
	Answered map[Exchange]uint64 // exchanges of the ward's work that were answered

	Reading string            // how ports must be captured: "ring" or "recvmmsg"
	Capture map[string]string // how each was, as the agent said last

	Denies  []Deny
	Outbox  []Outbox
	Dropped int64    // messages that the broker could not deliver
	Console string   // what is wrong with the serial console, "" if nothing
	Leaked  []string // patient data that was found, by place
	Session []string // what went wrong in the operator's session
	Witness error    // why the counts are not to be trusted
	Faults  []string // of the lab itself, or of messages that could not be read
}

func (e Evidence) parts() []cast.Part {
	if e.Parts == nil {
		return cast.Parts()
	}
	return e.Parts
}

// Role is what the agent last said of a device.
type Role struct {
	Role       string
	Confidence string
}

// Is reports whether that is what must be said of p: its role, confirmed where
// what it says suffices for that.
func (r Role) Is(p cast.Part) bool {
	return r.Role == p.Role() && (r.Confidence == Confirmed || p.Vague() && r.Confidence == Likely)
}

// Pair is one direction of clinical traffic, in frames counted on the two
// hosts' cards.
type Pair struct {
	From, To       cast.Part
	Group          bool // broadcast and multicast of From
	Sent, Received uint64
}

// Exchange is work that the policy allows.
type Exchange struct {
	From, To cast.Part
	Service  string
}

// Required are the exchanges that must have been answered at least once.
func Required() []Exchange {
	return []Exchange{
		{cast.Pump, cast.PumpServer, "tcp/2575"},
		{cast.Pump, cast.PumpServer, "tcp/443"},
		{cast.Monitor, cast.Central, "udp/24005"},
		{cast.Central, cast.Monitor, "udp/24105"},
		{cast.Ultrasound, cast.PACS, "tcp/104"},
		{cast.PC, cast.Printer, "tcp/631"},
	}
}

// Deny is a deny event with its device and peer as the cast names them; a zero
// part is none of the cast.
type Deny struct {
	Device, Peer cast.Part
	Service      string
	Verdict      string
}

// Outbox is what a subscriber received of one class of one epoch.
type Outbox struct {
	Class, Epoch string
	Received     uint64   // distinct events
	Last         uint64   // highest sequence number that the agent has committed
	Missing      []uint64 // of 1..Last, the first few
	Holes        uint64   // how many are missing in all
}
