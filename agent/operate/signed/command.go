package signed

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Bounds of what a command asks for. A gateway may allow less.
const (
	maxQuarantine = 7 * 24 * time.Hour
	maxBreakGlass = 24 * time.Hour
	maxName       = 64
	maxHooks      = 8
	maxTags       = 32
	maxCode       = 32
)

var (
	deviceID = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,64}$`)
	word     = regexp.MustCompile(`^[a-z0-9][a-z0-9._:-]{0,63}$`) // of roles, tags, hooks, persons
)

// Ping asks for an answer and changes nothing.
type Ping struct{}

// Quarantine cuts a device off for some time.
type Quarantine struct {
	Device  string   `json:"device"`
	Seconds int64    `json:"seconds"`         // until it ends by itself
	Hooks   []string `json:"hooks,omitempty"` // sorted; of a life-sustaining device, those that may run
	Code    string   `json:"code,omitempty"`  // of the console, for the interlock
}

// Release ends the quarantine of a device.
type Release struct {
	Device string `json:"device"`
	// Undone says that a person has undone what hooks asked of the network that are
	// not in the configuration any more: nothing is owed there from now on.
	Undone bool `json:"undone,omitempty"`
}

// PinRole says what a device is.
type PinRole struct {
	Device string `json:"device"`
	Role   string `json:"role"`
}

// Tag marks a device; no tags take the marks away.
type Tag struct {
	Device string   `json:"device"`
	Tags   []string `json:"tags"` // sorted
}

// Scopes of BreakGlass.
const (
	ScopeGateway = "gateway"
	ScopePort    = "port"
	ScopeDevice  = "device"
	ScopeSegment = "segment"
)

// BreakGlass lets everything pass for some time.
type BreakGlass struct {
	Scope   string `json:"scope"`          // see ScopeGateway
	Name    string `json:"name,omitempty"` // of the port, device or segment
	Seconds int64  `json:"seconds"`
}

// Modes of a segment, the gentlest first. Only the last drops packets.
const (
	ModeObserve = "observe"
	ModeStage   = "stage"
	ModeEnforce = "enforce"
)

// Mode changes what becomes of packets that a segment does not allow.
type Mode struct {
	Segment string `json:"segment"`
	Mode    string `json:"mode"` // see ModeObserve
}

// Explain asks why a device is what it is held to be, or what becomes of a
// packet: a device, or the fields of a packet.
type Explain struct {
	Device  string `json:"device,omitempty"`
	In      string `json:"in,omitempty"`  // port
	Out     string `json:"out,omitempty"` // port
	SrcMAC  string `json:"src_mac,omitempty"`
	DstMAC  string `json:"dst_mac,omitempty"`
	Src     string `json:"src,omitempty"`     // IP address
	Dst     string `json:"dst,omitempty"`     // IP address
	Service string `json:"service,omitempty"` // as in a policy: tcp/443
}

// Diagnostics asks for the state of the gateway, without anything personal.
type Diagnostics struct{}

// Reboot starts the gateway anew.
type Reboot struct {
	Code string `json:"code,omitempty"` // of the console, while a life-sustaining device is in use
}

func (Ping) names() (Kind, string)        { return KindCommand, "ping" }
func (Quarantine) names() (Kind, string)  { return KindCommand, "quarantine" }
func (Release) names() (Kind, string)     { return KindCommand, "release" }
func (PinRole) names() (Kind, string)     { return KindCommand, "pin-role" }
func (Tag) names() (Kind, string)         { return KindCommand, "tag" }
func (BreakGlass) names() (Kind, string)  { return KindCommand, "break-glass" }
func (Mode) names() (Kind, string)        { return KindCommand, "mode" }
func (Explain) names() (Kind, string)     { return KindCommand, "explain" }
func (Diagnostics) names() (Kind, string) { return KindCommand, "diagnostics" }
func (Reboot) names() (Kind, string)      { return KindCommand, "reboot" }

func (Ping) check() error        { return nil }
func (Diagnostics) check() error { return nil }
func (a Release) check() error   { return checkDevice(a.Device) }

func (a Quarantine) check() error {
	return errors.Join(checkDevice(a.Device), checkSeconds(a.Seconds, maxQuarantine), checkWords("hooks", a.Hooks, maxHooks), checkCode(a.Code))
}

func (a PinRole) check() error {
	return errors.Join(checkDevice(a.Device), checkWords("role", []string{a.Role}, 1))
}

func (a Tag) check() error {
	if a.Tags == nil {
		return errors.New("tags: want a list")
	}
	return errors.Join(checkDevice(a.Device), checkWords("tags", a.Tags, maxTags))
}

func (a BreakGlass) check() error {
	switch a.Scope {
	case ScopeGateway:
		if a.Name != "" {
			return errors.New("name: the scope gateway has none")
		}
	case ScopePort, ScopeDevice, ScopeSegment:
		if !printable(a.Name, maxName) {
			return fmt.Errorf("name: want that of the %s", a.Scope)
		}
	default:
		return fmt.Errorf("scope %.80q: want gateway, port, device or segment", a.Scope)
	}
	return checkSeconds(a.Seconds, maxBreakGlass)
}

func (a Mode) check() error {
	if a.Mode != ModeObserve && a.Mode != ModeStage && a.Mode != ModeEnforce {
		return fmt.Errorf("mode %.80q: want observe, stage or enforce", a.Mode)
	}
	if !printable(a.Segment, maxName) {
		return errors.New("segment: want the name of one")
	}
	return nil
}

func (a Explain) check() error {
	packet := a
	packet.Device = ""
	if (a.Device == "") == (packet == Explain{}) {
		return errors.New("want a device or the fields of a packet")
	}
	for _, f := range []string{a.Device, a.In, a.Out, a.SrcMAC, a.DstMAC, a.Src, a.Dst, a.Service} {
		if f != "" && !printable(f, maxName) {
			return fmt.Errorf("%.80q: want at most %d printable bytes", f, maxName)
		}
	}
	return nil
}

func (a Reboot) check() error { return checkCode(a.Code) }

func checkDevice(id string) error {
	if !deviceID.MatchString(id) {
		return fmt.Errorf("device %.80q: want the id of one", id)
	}
	return nil
}

func checkSeconds(n int64, most time.Duration) error {
	if n < 1 || n > int64(most/time.Second) {
		return fmt.Errorf("seconds %d: want 1 to %d", n, most/time.Second)
	}
	return nil
}

func checkCode(code string) error {
	if code != "" && !printable(code, maxCode) {
		return errors.New("code: want one that the console showed")
	}
	return nil
}

// checkWords wants names in order, each once: so that a list has one spelling.
func checkWords(key string, words []string, most int) error {
	if len(words) > most {
		return fmt.Errorf("%s: %d of them: want at most %d", key, len(words), most)
	}
	for i, w := range words {
		if !word.MatchString(w) {
			return fmt.Errorf("%s: %.80q: want a-z 0-9 . _ : -", key, w)
		}
		if slices.Index(words, w) != i || !slices.IsSorted(words) {
			return fmt.Errorf("%s: %q: want them sorted, each once", key, w)
		}
	}
	return nil
}
