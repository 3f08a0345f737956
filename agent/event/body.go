package event

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Body is the content of an event: one of the types of this package.
type Body interface {
	// Kind is the stable name, as in the envelope.
	Kind() string
}

// DeviceChange is class event: a device appeared, changed identity, moved or
// was forgotten, because nobody had seen it for long or new ones needed room.
type DeviceChange struct {
	Change     string            `json:"change"` // "new", "identity", "moved", "gone"
	Device     device.ID         `json:"device"`
	MAC        fact.MAC          `json:"mac"`
	Port       string            `json:"port"`
	OldPort    string            `json:"old_port,omitempty"`
	Role       device.Role       `json:"role"`
	OldRole    device.Role       `json:"old_role,omitempty"`
	Confidence device.Confidence `json:"confidence"`
}

// Kind is "device".
func (DeviceChange) Kind() string { return "device" }

// Inventory is class state: one device, key "inventory/<device id>".
type Inventory struct {
	Device    device.ID       `json:"device"`
	MAC       fact.MAC        `json:"mac"`
	Port      string          `json:"port"`
	VLAN      uint16          `json:"vlan,omitempty"`
	IPs       []string        `json:"ips"`
	FirstSeen time.Time       `json:"first_seen"`
	LastSeen  time.Time       `json:"last_seen"`
	Identity  device.Identity `json:"identity"`
	Facts     []device.Known  `json:"facts"`
	Gone      bool            `json:"gone,omitempty"` // the last record of the device: forget it
}

// Kind is "inventory".
func (Inventory) Kind() string { return "inventory" }

// Deny is class alert for clinical devices, else event: packets that the policy
// dropped, or would have dropped in stage, of one (device, peer, service) since
// the last such event. Its counts are samples; the exact ones are in Enforcement.
type Deny struct {
	Device  device.ID   `json:"device"` // on whose side the packet was refused
	Role    device.Role `json:"role"`
	Segment string      `json:"segment"`
	Peer    string      `json:"peer"` // address of the other side: IP, or MAC without one
	PeerMAC fact.MAC    `json:"peer_mac"`
	// PeerDevice is the other side's id where it is a known device.
	PeerDevice device.ID `json:"peer_device,omitempty"`
	Service    string    `json:"service"`   // "tcp/445", on the serving side
	Direction  string    `json:"direction"` // "from-device", "to-device"
	Verdict    string    `json:"verdict"`   // "denied", "would-deny", "claimed-address", "quarantined"
	Port       string    `json:"port"`      // where it came in
	Samples    uint64    `json:"samples"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
}

// Kind is "deny".
func (Deny) Kind() string { return "deny" }

// Warning is class alert: something that needs eyes.
type Warning struct {
	Signal string    `json:"signal"` // stable code: "store.reset", "clone", …
	Device device.ID `json:"device,omitempty"`
	Text   string    `json:"text"`   // what happened, for a person
	Advice string    `json:"advice"` // what to do
}

// Kind is "alert".
func (Warning) Kind() string { return "alert" }

// PolicyChange is class audit: another generation of the rules is in force, or
// was refused.
type PolicyChange struct {
	Version    int    `json:"version"`    // of the policy
	Generation uint64 `json:"generation"` // of the ruleset
	Result     string `json:"result"`     // "applied", "repaired", "refused"
	Reason     string `json:"reason,omitempty"`
}

// Kind is "policy".
func (PolicyChange) Kind() string { return "policy" }

// Act is class audit: a person at the gateway did something, or what was done
// ended.
type Act struct {
	// Act is "break-glass" (opened), "break-glass-off" (closed), "break-glass-found"
	// (open, by the button or another program), "break-glass-ended" (its time was
	// over, or another program closed it), "code" (a one-time code was shown),
	// "quarantine", "quarantine-interlock" (without its exempt pairs), "release",
	// "quarantine-ended" (its time was over), "quarantine-found" (the kernel had it,
	// and no file), "mode" (of a segment), "policy" (another one was given).
	Act string `json:"act"`
	// Who is "console", "button", "kernel" (the timeout), "unknown", or who signed.
	Who     string    `json:"who"`
	Device  device.ID `json:"device,omitempty"`  // whom it is about; "": see Scope
	Scope   string    `json:"scope,omitempty"`   // "port", "segment"; "" without a device: the gateway
	Name    string    `json:"name,omitempty"`    // of the port or segment
	Reason  string    `json:"reason,omitempty"`  // for people
	Seconds int64     `json:"seconds,omitempty"` // it lasts
	Until   time.Time `json:"until,omitzero"`    // its end, as good as the time of the event
}

// Kind is "act".
func (Act) Kind() string { return "act" }

// Order is class audit: what became of something that people signed, unless it
// changes nothing by its nature. What was refused is recorded where its
// signatures were good.
type Order struct {
	ID     string    `json:"id"`
	What   string    `json:"kind"` // "command", or of the desired state: "policy", …
	Op     string    `json:"op,omitempty"`
	Device device.ID `json:"device,omitempty"`
	Name   string    `json:"name,omitempty"` // role, tags, segment and mode, scope, time: as op has it
	Seq    uint64    `json:"seq"`
	Root   int       `json:"root"`  // version of the root that it was signed under
	By     string    `json:"by"`    // the people who signed
	Why    string    `json:"why"`   // their reason
	State  string    `json:"state"` // "succeeded", "failed", "rejected", "expired", "executing" (a reboot)
	Reason string    `json:"reason,omitempty"`
	Text   string    `json:"text,omitempty"`
}

// Kind is "order".
func (Order) Kind() string { return "order" }

// Conversations is class telemetry: what one device did since the last report.
type Conversations struct {
	Device        device.ID      `json:"device"`
	Conversations []Conversation `json:"conversations"`
}

// Kind is "conversations".
func (Conversations) Kind() string { return "conversations" }

// Conversation is one row of Conversations; counts are totals.
type Conversation struct {
	Peer        string    `json:"peer"`
	Service     string    `json:"service"`
	Opener      string    `json:"opener"`
	Answered    bool      `json:"answered"`
	PacketsFrom uint64    `json:"packets_from"`
	BytesFrom   uint64    `json:"bytes_from"`
	PacketsTo   uint64    `json:"packets_to"`
	BytesTo     uint64    `json:"bytes_to"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
}

// Utilisation is class telemetry: how a device spent the minutes of one hour in
// which the gateway looked. Nothing finer leaves it: a bed and a minute can name
// a person. After a restart there may be two of one hour, whose minutes add up.
type Utilisation struct {
	Device device.ID   `json:"device"`
	Role   device.Role `json:"role"`
	Hour   time.Time   `json:"hour"` // its beginning
	// Minutes are by state ("off", "on-idle", "in-use", "service", "unknown") and
	// by what decided it: "e1" the device's own report, "e2" the class of its
	// messages, "e3" their rate, "e4" that it was there or silent.
	Minutes map[string]map[string]int `json:"minutes"`
}

// Kind is "utilisation".
func (Utilisation) Kind() string { return "utilisation" }

// Health is class state, key "health": the gateway about itself.
type Health struct {
	Conditions []HealthCondition `json:"conditions"`
	Counters   map[string]uint64 `json:"counters"` // capture, queue, store, rules, process; names are stable
	Ports      []HealthPort      `json:"ports"`
}

// Kind is "health".
func (Health) Kind() string { return "health" }

// HealthCondition is one thing that is wrong.
type HealthCondition struct {
	Code     string    `json:"code"`
	Severity string    `json:"severity"`
	Text     string    `json:"text"`
	Since    time.Time `json:"since"`
}

// HealthPort is one captured port.
type HealthPort struct {
	Name    string `json:"name"`
	Mode    string `json:"mode"` // "ring", "recvmmsg", "" while it is gone
	Frames  uint64 `json:"frames"`
	Dropped uint64 `json:"dropped"` // by the kernel, because we were too slow
}

// GatewayState is not an event: the retained message on topic "state", and as
// the last will with online false.
type GatewayState struct {
	V      int    `json:"v"`
	Site   string `json:"site"`
	GW     string `json:"gw"`
	Online bool   `json:"online"`
	// Of a living gateway only:
	BootID      string            `json:"boot_id,omitempty"`
	MonoMS      int64             `json:"mono_ms,omitempty"` // since boot, when this was said
	Time        string            `json:"time,omitempty"`
	TimeQuality string            `json:"time_quality,omitempty"`
	Version     string            `json:"version,omitempty"` // of the agent
	Policy      int               `json:"policy,omitempty"`  // version in force
	Generation  uint64            `json:"generation,omitempty"`
	Versions    map[string]uint64 `json:"versions,omitempty"` // in force, of each desired kind: its statement's seq; of "root" its version
	Epoch       string            `json:"epoch,omitempty"`
	Seq         map[string]uint64 `json:"seq,omitempty"`     // highest committed, by class
	Evicted     map[string]uint64 `json:"evicted,omitempty"` // lost to the byte cap, by class
}
