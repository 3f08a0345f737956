package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// topicLevel is what may stand between two slashes of an MQTT topic and in a
// certificate's CN.
var topicLevel = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// portName is what Linux takes as an interface name (IFNAMSIZ).
var portName = regexp.MustCompile(`^[^\s/:]{1,15}$`)

// parser collects what it needs to say where a value is wrong.
type parser struct {
	file string
	data []byte
}

func (p parser) errorf(key, format string, args ...any) error {
	path := strings.Split(key, ".")
	return fmt.Errorf("%s:%d: %s: %s", p.file, strict.Line(p.data, path...), key, fmt.Sprintf(format, args...))
}

// Parse reads the configuration; file only names it in errors.
func Parse(file string, data []byte) (*Config, error) {
	r := defaults()
	if err := strict.Decode(file, data, &r); err != nil {
		return nil, err
	}
	p := parser{file, data}
	c := &Config{Gateway: r.Gateway, Lab: r.Lab, Mode: Mode(r.Mode), Policy: r.Policy.File, Rules: r.Rules.Dir, State: r.State.Dir,
		Ports: Ports(r.Ports), Uplink: Uplink(r.Uplink), Mgmt: Mgmt(r.Mgmt), Console: Console(r.Console), Manage: Manage(r.Manage)}
	if !topicLevel.MatchString(c.Gateway) {
		return nil, p.errorf("gateway", "%q: want 1 to 64 of A-Z a-z 0-9 . _ -", c.Gateway)
	}
	if c.Gateway == "all" || c.Gateway == "grp" { // what speaks to many goes by these topics
		return nil, p.errorf("gateway", "%q stands for many gateways: want another name", c.Gateway)
	}
	for _, step := range []func(parser, *Config, raw) error{site, ports, bounds, uplink, console, manage, hooks} {
		if err := step(p, c, r); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func site(p parser, c *Config, r raw) error {
	c.Site.Name = r.Site.Name
	if !topicLevel.MatchString(c.Site.Name) {
		return p.errorf("site.name", "%q: want 1 to 64 of A-Z a-z 0-9 . _ -", c.Site.Name)
	}
	internal := []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"}
	if r.Site.Internal != nil {
		internal = *r.Site.Internal
	}
	for _, s := range internal {
		n, err := netip.ParsePrefix(s)
		if err != nil {
			return p.errorf("site.internal", "%q: want a network like 10.0.0.0/8", s)
		}
		c.Site.Internal = append(c.Site.Internal, n.Masked())
	}
	for _, s := range r.Site.Scanners {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return p.errorf("site.scanners", "%q: want an IP address", s)
		}
		c.Site.Scanners = append(c.Site.Scanners, a)
	}
	return nil
}

func ports(p parser, c *Config, _ raw) error {
	switch c.Mode {
	case Bridge:
	case Routed, Tap:
		return p.errorf("mode", "%q is not built yet; \"bridge\" is", c.Mode)
	default:
		return p.errorf("mode", "%q: want \"bridge\", \"routed\" or \"tap\"", c.Mode)
	}
	if !portName.MatchString(c.Ports.Uplink) {
		return p.errorf("ports.uplink", "%q: want a port name of at most 15 characters", c.Ports.Uplink)
	}
	if len(c.Ports.Ward) == 0 {
		return p.errorf("ports.ward", "want at least one ward port")
	}
	for i, w := range c.Ports.Ward {
		if !portName.MatchString(w) {
			return p.errorf("ports.ward", "%q: want a port name of at most 15 characters", w)
		}
		if w == c.Ports.Uplink || slices.Contains(c.Ports.Ward[:i], w) {
			return p.errorf("ports.ward", "%q is named twice", w)
		}
	}
	return mgmt(p, c)
}

func mgmt(p parser, c *Config) error {
	if c.Mgmt.VLAN < 0 || c.Mgmt.VLAN > 4094 {
		return p.errorf("mgmt.vlan", "%d: want 0 (untagged) to 4094", c.Mgmt.VLAN)
	}
	if _, err := netip.ParsePrefix(c.Mgmt.Address); err != nil && c.Mgmt.Address != "dhcp" {
		return p.errorf("mgmt.address", "%q: want \"dhcp\" or an address with its network like 10.20.7.5/24", c.Mgmt.Address)
	}
	if _, err := netip.ParseAddr(c.Mgmt.Gateway); err != nil && c.Mgmt.Gateway != "" {
		return p.errorf("mgmt.gateway", "%q: want an IP address", c.Mgmt.Gateway)
	}
	for _, s := range c.Mgmt.DNS {
		if _, err := netip.ParseAddr(s); err != nil {
			return p.errorf("mgmt.dns", "%q: want an IP address", s)
		}
	}
	return nil
}

// maxRingsMiB is what the kernel's rings of all ports may take: half of a small
// box (512 MB). With the defaults eight ports take 32.
const maxRingsMiB = 256

func bounds(p parser, c *Config, r raw) error {
	for _, b := range []struct {
		key      string
		v        int64
		min, max int64
	}{
		{"observe.ring_mib", int64(r.Observe.RingMiB), 1, 64},
		{"observe.flows", int64(r.Observe.Flows), MinFlows, 1 << 20},
		{"observe.streams", int64(r.Observe.Streams), MinStreams, 1 << 16},
		{"observe.stream_kib", int64(r.Observe.StreamKiB), 4, 256},
		{"outbox.cap_mib", r.Outbox.CapMiB, 1, 4096},
	} {
		if b.v < b.min || b.v > b.max {
			return p.errorf(b.key, "%d: want %d to %d", b.v, b.min, b.max)
		}
	}
	if rings := len(c.Ports.Ward) * r.Observe.RingMiB; rings > maxRingsMiB {
		return p.errorf("observe.ring_mib", "%d: rings of %d ward ports are %d MiB of memory, want at most %d in all", r.Observe.RingMiB, len(c.Ports.Ward), rings, maxRingsMiB)
	}
	c.Observe = Observe{RingBytes: r.Observe.RingMiB << 20, Recvmmsg: r.Observe.Recvmmsg, Flows: r.Observe.Flows,
		Streams: r.Observe.Streams, StreamBytes: r.Observe.StreamKiB << 10}
	c.Outbox = Outbox{CapBytes: r.Outbox.CapMiB << 20}
	if !strings.HasPrefix(c.State, "/") {
		return p.errorf("state.dir", "%q: want an absolute path", c.State)
	}
	return nil
}

func uplink(p parser, c *Config, _ raw) error {
	if c.Uplink.URL == "" {
		return nil
	}
	u, err := url.Parse(c.Uplink.URL)
	if err != nil || u.Host == "" || u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return p.errorf("uplink.url", "want mqtts://HOST:PORT")
	}
	switch u.Scheme {
	case "mqtts":
		if (c.Uplink.Cert == "") != (c.Uplink.Key == "") {
			return p.errorf("uplink.cert", "cert and key go together")
		}
	case "mqtt":
		a, err := netip.ParseAddr(u.Hostname())
		if !c.Lab && (err != nil || !a.IsLoopback()) {
			return p.errorf("uplink.url", "mqtt:// is clear text: only to a loopback address or in a lab; want mqtts://")
		}
	default:
		return p.errorf("uplink.url", "scheme %q: want mqtts or mqtt", u.Scheme)
	}
	return nil
}

func console(p parser, c *Config, _ raw) error {
	if !slices.Contains([]string{"open", "challenge", "off"}, c.Console.BreakGlass) {
		return p.errorf("console.break_glass", "%q: want \"open\", \"challenge\" or \"off\"", c.Console.BreakGlass)
	}
	if c.Console.Baud < 300 || c.Console.Baud > 4_000_000 {
		return p.errorf("console.baud", "%d: want 300 to 4000000", c.Console.Baud)
	}
	return nil
}
