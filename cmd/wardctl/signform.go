package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/agent/strict"
	"github.com/wardkeeper/wardkeeper/rules"
)

// fields are the flags that fill the args of a statement.
type fields struct {
	text map[string]*string
	time *time.Duration
	done *bool
}

func fieldFlags(fs *flag.FlagSet) fields {
	f := fields{text: make(map[string]*string), time: fs.Duration("time", 0, ""), done: fs.Bool("undone", false, "")}
	for _, n := range []string{"device", "hooks", "code", "role", "tags", "scope", "name", "segment", "mode", "in", "out", "src", "dst", "src-mac", "dst-mac", "service", "file"} {
		f.text[n] = fs.String(n, "", "")
	}
	return f
}

func (f fields) of(name string) string { return *f.text[name] }
func (f fields) seconds() int64        { return int64(*f.time / time.Second) }

// form is how the args of one kind of statement come from flags.
type form struct {
	flags string // that belong to it
	args  func(fields) (signed.Args, error)
}

// read refuses flags of another form: somebody meant something else.
func (m form) read(fs *flag.FlagSet, what string, f fields) (signed.Args, error) {
	var err error
	fs.Visit(func(g *flag.Flag) {
		_, field := f.text[g.Name]
		if (field || g.Name == "time" || g.Name == "undone") && !slices.Contains(strings.Fields(m.flags), g.Name) {
			err = fmt.Errorf("sign %s: --%s does not belong to it", what, g.Name)
		}
	})
	if err != nil {
		return nil, err
	}
	a, err := m.args(f)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", what, err)
	}
	return a, nil
}

// forms are all there are, by the words that name them.
func forms() map[string]form {
	is := func(a signed.Args) (signed.Args, error) { return a, nil }
	return map[string]form{
		"command ping":        {"", func(fields) (signed.Args, error) { return is(signed.Ping{}) }},
		"command diagnostics": {"", func(fields) (signed.Args, error) { return is(signed.Diagnostics{}) }},
		"command quarantine": {"device time hooks code", func(f fields) (signed.Args, error) {
			return is(signed.Quarantine{Device: f.of("device"), Seconds: f.seconds(), Hooks: list(f.of("hooks")), Code: f.of("code")})
		}},
		"command release": {"device undone", func(f fields) (signed.Args, error) {
			return is(signed.Release{Device: f.of("device"), Undone: *f.done})
		}},
		"command pin-role": {"device role", func(f fields) (signed.Args, error) {
			return is(signed.PinRole{Device: f.of("device"), Role: f.of("role")})
		}},
		"command tag": {"device tags", func(f fields) (signed.Args, error) {
			return is(signed.Tag{Device: f.of("device"), Tags: list(f.of("tags"))})
		}},
		"command break-glass": {"scope name time", func(f fields) (signed.Args, error) {
			return is(signed.BreakGlass{Scope: f.of("scope"), Name: f.of("name"), Seconds: f.seconds()})
		}},
		"command mode": {"segment mode", func(f fields) (signed.Args, error) {
			return is(signed.Mode{Segment: f.of("segment"), Mode: f.of("mode")})
		}},
		"command explain": {"device in out src dst src-mac dst-mac service", func(f fields) (signed.Args, error) {
			return is(signed.Explain{Device: f.of("device"), In: f.of("in"), Out: f.of("out"), SrcMAC: f.of("src-mac"), DstMAC: f.of("dst-mac"), Src: f.of("src"), Dst: f.of("dst"), Service: f.of("service")})
		}},
		"command reboot": {"code", func(f fields) (signed.Args, error) { return is(signed.Reboot{Code: f.of("code")}) }},
		"policy":         {"file", policyArgs},
		"config":         {"file", configArgs},
		"quarantine":     {"file", quarantineArgs},
		"devices":        {"file", deviceArgs},
	}
}

// policyArgs reads the policy as a gateway will: a mistake is told here, not by
// every gateway of the site.
func policyArgs(f fields) (signed.Args, error) {
	text, err := os.ReadFile(f.of("file"))
	if err != nil {
		return nil, err
	}
	set, err := rules.Embedded()
	if err != nil {
		return nil, err
	}
	_, err = policy.Parse(f.of("file"), text, set.Roles.Class, set.Roles.Names()...)
	return signed.Policy{TOML: string(text)}, err
}

func configArgs(f fields) (signed.Args, error) {
	text, err := os.ReadFile(f.of("file"))
	if err != nil {
		return nil, err
	}
	_, err = config.Parse(f.of("file"), text)
	return signed.Config{TOML: string(text)}, err
}

// entry is one device of a quarantine or device set, as people write it.
type entry struct {
	Device string    `toml:"device"`
	Reason string    `toml:"reason"`
	Owner  string    `toml:"owner"`
	Until  time.Time `toml:"until"`
}

func quarantineArgs(f fields) (signed.Args, error) {
	var set struct {
		Entry []entry `toml:"entry"`
	}
	if err := readTOML(f.of("file"), &set); err != nil {
		return nil, err
	}
	a := signed.QuarantineSet{Entries: []signed.QuarantineEntry{}}
	for _, e := range set.Entry {
		if e.Until.IsZero() {
			return nil, fmt.Errorf("%s: device %q: until is missing: every quarantine ends", f.of("file"), e.Device)
		}
		a.Entries = append(a.Entries, signed.QuarantineEntry{Device: e.Device, Reason: e.Reason, Owner: e.Owner, Until: e.Until.UTC().Format(signed.TimeFormat)})
	}
	slices.SortFunc(a.Entries, func(x, y signed.QuarantineEntry) int { return strings.Compare(x.Device, y.Device) })
	return a, nil
}

func deviceArgs(f fields) (signed.Args, error) {
	var set struct {
		Entry []struct {
			Device        string   `toml:"device"`
			Role          string   `toml:"role"`
			Tags          []string `toml:"tags"`
			ApprovedPairs []string `toml:"approved_pairs"`
		} `toml:"entry"`
	}
	if err := readTOML(f.of("file"), &set); err != nil {
		return nil, err
	}
	a := signed.DeviceSet{Entries: []signed.DeviceEntry{}}
	for _, e := range set.Entry {
		slices.Sort(e.Tags)
		slices.Sort(e.ApprovedPairs)
		a.Entries = append(a.Entries, signed.DeviceEntry{Device: e.Device, Role: e.Role, Tags: e.Tags, ApprovedPairs: e.ApprovedPairs})
	}
	slices.SortFunc(a.Entries, func(x, y signed.DeviceEntry) int { return strings.Compare(x.Device, y.Device) })
	return a, nil
}

func readTOML(file string, v any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return strict.Decode(file, text, v)
}
