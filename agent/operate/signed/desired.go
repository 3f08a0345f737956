package signed

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxEntries bounds the lists of desired state.
const maxEntries = 1024

// Policy is the policy of a gateway, as the file that people write.
type Policy struct {
	TOML string `json:"toml"`
}

// Config is the configuration of a gateway, as the file that people write.
type Config struct {
	TOML string `json:"toml"`
}

// QuarantineSet is every quarantine that is to be in force. What is not in it
// ends when it ends by itself.
type QuarantineSet struct {
	Entries []QuarantineEntry `json:"entries"` // sorted by device
}

// QuarantineEntry is one of them.
type QuarantineEntry struct {
	Device string `json:"device"`
	Reason string `json:"reason"` // for people
	Owner  string `json:"owner"`  // who answers for it
	Until  string `json:"until"`  // as the times of a Statement
}

// DeviceSet is what people say about devices.
type DeviceSet struct {
	Entries []DeviceEntry `json:"entries"` // sorted by device
}

// DeviceEntry is what they say about one.
type DeviceEntry struct {
	Device        string   `json:"device"`
	Role          string   `json:"role,omitempty"`
	Tags          []string `json:"tags,omitempty"`           // sorted
	ApprovedPairs []string `json:"approved_pairs,omitempty"` // sorted; addresses of peers that the device may always talk with
}

func (Policy) names() (Kind, string)        { return KindPolicy, "" }
func (Config) names() (Kind, string)        { return KindConfig, "" }
func (QuarantineSet) names() (Kind, string) { return KindQuarantine, "" }
func (DeviceSet) names() (Kind, string)     { return KindDevices, "" }

func (a Policy) check() error { return checkText(a.TOML) }
func (a Config) check() error { return checkText(a.TOML) }

func (a QuarantineSet) check() error {
	if err := checkEntries(a.Entries, func(e QuarantineEntry) string { return e.Device }); err != nil {
		return err
	}
	for _, e := range a.Entries {
		if !printable(e.Reason, maxReason) || !printable(e.Owner, maxName) {
			return fmt.Errorf("device %s: want a reason and an owner, in printable letters", e.Device)
		}
		if instant(e.Until).IsZero() {
			return fmt.Errorf("device %s: until %.40q: want a time as 2026-11-28T14:00:00Z", e.Device, e.Until)
		}
	}
	return nil
}

func (a DeviceSet) check() error {
	if err := checkEntries(a.Entries, func(e DeviceEntry) string { return e.Device }); err != nil {
		return err
	}
	for _, e := range a.Entries {
		var role []string
		if e.Role != "" {
			role = append(role, e.Role)
		}
		if err := errors.Join(checkWords("role", role, 1), checkWords("tags", e.Tags, maxTags), checkWords("approved_pairs", e.ApprovedPairs, maxTags)); err != nil {
			return fmt.Errorf("device %s: %w", e.Device, err)
		}
	}
	return nil
}

func checkText(toml string) error {
	if toml == "" || !utf8.ValidString(toml) {
		return errors.New("toml: want the text of a file")
	}
	return nil
}

// checkEntries wants a list, by device, each once.
func checkEntries[E any](entries []E, device func(E) string) error {
	if entries == nil || len(entries) > maxEntries {
		return fmt.Errorf("entries: want a list of at most %d", maxEntries)
	}
	for i, e := range entries {
		if err := checkDevice(device(e)); err != nil {
			return err
		}
		if i > 0 && device(entries[i-1]) >= device(e) {
			return fmt.Errorf("entries: device %s: want them sorted, each once", device(e))
		}
	}
	return nil
}
