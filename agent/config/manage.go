package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxGroups bounds the groups of one gateway: each is a subscription.
const maxGroups = 16

func manage(p parser, c *Config, _ raw) error {
	if c.Manage.Root != "" && !strings.HasPrefix(c.Manage.Root, "/") {
		return p.errorf("manage.root", "%q: want an absolute path", c.Manage.Root)
	}
	if n := len(c.Manage.Groups); n > maxGroups {
		return p.errorf("manage.groups", "%d groups: want at most %d", n, maxGroups)
	}
	for _, g := range c.Manage.Groups {
		if !topicLevel.MatchString(g) {
			return p.errorf("manage.groups", "%q: want 1 to 64 of A-Z a-z 0-9 . _ -", g)
		}
	}
	slices.Sort(c.Manage.Groups)
	c.Manage.Groups = slices.Compact(c.Manage.Groups)
	return nil
}

// Kinds of hooks, and whom they touch.
const (
	hookExec       = "exec"
	hookWebhook    = "webhook"
	hookDisconnect = "radius-disconnect"
)

// Bounds of hooks.
const (
	maxHooks   = 8
	hookLimit  = 15 * time.Second // where the file says nothing
	maxLimitS  = 120
	defaultFor = "ward" // reach: nothing near a life-sustaining device runs by default
)

var hookName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

func hooks(p parser, c *Config, r raw) error {
	if n := len(r.NAC.Hook); n > maxHooks {
		return p.errorf("nac.hook", "%d hooks: want at most %d", n, maxHooks)
	}
	for i, h := range r.NAC.Hook {
		out, err := hook(h)
		if err == nil && slices.ContainsFunc(c.Hooks, func(o Hook) bool { return o.Name == h.Name }) {
			err = fmt.Errorf("the name %q is there twice", h.Name)
		}
		if err != nil {
			return p.errorf("nac.hook", "number %d: %v", i+1, err)
		}
		c.Hooks = append(c.Hooks, out)
	}
	return nil
}

func hook(r rawHook) (Hook, error) {
	h := Hook{Name: r.Name, Kind: r.Kind, Reach: r.Reach, Limit: hookLimit, Program: r.Program, URL: r.URL, CA: r.CA, Secret: r.Secret,
		Server: r.Server, NASIdentifier: r.NASIdentifier}
	if h.Reach == "" {
		h.Reach = defaultFor
	}
	if r.LimitS != 0 {
		h.Limit = time.Duration(r.LimitS) * time.Second
	}
	switch {
	case !hookName.MatchString(h.Name):
		return h, fmt.Errorf("name %q: want 1 to 32 of a-z 0-9 -", h.Name)
	case !slices.Contains([]string{"device", "port", "ward"}, h.Reach):
		return h, fmt.Errorf("reach %q: want \"device\", \"port\" or \"ward\"", h.Reach)
	case r.LimitS < 0 || r.LimitS > maxLimitS:
		return h, fmt.Errorf("limit_s %d: want 1 to %d", r.LimitS, maxLimitS)
	}
	foreign := func(keys map[string]bool) error {
		for _, k := range []string{"ca", "nas_address", "nas_identifier", "program", "secret", "server", "url"} {
			if keys[k] {
				return fmt.Errorf("%s has no %s", h.Kind, k)
			}
		}
		return nil
	}
	isURL, isServer := h.URL != "" || h.CA != "", h.Server != "" || h.NASIdentifier != "" || r.NASAddress != ""
	switch h.Kind {
	case hookExec:
		if len(h.Program) == 0 || !strings.HasPrefix(h.Program[0], "/") {
			return h, fmt.Errorf("program %q: want a program by its absolute path, and its arguments", h.Program)
		}
		return h, foreign(map[string]bool{"url": isURL, "server": isServer, "secret": h.Secret != ""})
	case hookWebhook:
		u, err := url.Parse(h.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			return h, fmt.Errorf("url: want https://HOST/PATH")
		}
		if err := foreign(map[string]bool{"program": h.Program != nil, "server": isServer}); err != nil {
			return h, err
		}
		return h, secretFile(h)
	case hookDisconnect:
		if host, port, err := net.SplitHostPort(h.Server); err != nil || host == "" || port == "" {
			return h, fmt.Errorf("server %q: want HOST:PORT, RFC 5176 has port 3799", h.Server)
		}
		if r.NASAddress != "" {
			var err error
			if h.NASAddress, err = netip.ParseAddr(r.NASAddress); err != nil {
				return h, fmt.Errorf("nas_address %q: want an IP address", r.NASAddress)
			}
		}
		if err := foreign(map[string]bool{"program": h.Program != nil, "url": isURL}); err != nil {
			return h, err
		}
		return h, secretFile(h)
	}
	return h, fmt.Errorf("kind %q: want \"exec\", \"webhook\" or \"radius-disconnect\"", h.Kind)
}

func secretFile(h Hook) error {
	if !strings.HasPrefix(h.Secret, "/") {
		return fmt.Errorf("secret %q: want the absolute path of a file", h.Secret)
	}
	return nil
}

// MayBecome says why a gateway with this configuration may not be given another
// one from afar. Who it is, where its state lies, whom it obeys and that it hears
// them are not a matter of configuration: a mistake there could not be taken
// back. Nor is what the rules stand on, which the people who sign for the
// configuration do not sign for: with the uplink at another port a pump is cut
// from its server, and the broker is reached all the same. Nor are programs: one
// could do anything. Nor is what whoever stands there has: the console, and the
// break-glass on it, which may become easier from afar and not harder.
func (c *Config) MayBecome(other *Config) error {
	if c.Came != nil {
		c = c.Came
	}
	for _, v := range []struct{ key, old, new string }{
		{"gateway", c.Gateway, other.Gateway},
		{"site.name", c.Site.Name, other.Site.Name},
		{"state.dir", c.State, other.State},
		{"manage.root", c.Manage.Root, other.Manage.Root},
		{"lab", fmt.Sprint(c.Lab), fmt.Sprint(other.Lab)},
		{"ports.uplink", c.Ports.Uplink, other.Ports.Uplink},
		{"ports.ward", strings.Join(c.Ports.Ward, ", "), strings.Join(other.Ports.Ward, ", ")},
		{"policy.file", c.Policy, other.Policy},
		{"rules.dir", c.Rules, other.Rules},
		{"console.device", c.Console.Device, other.Console.Device},
		{"console.baud", fmt.Sprint(c.Console.Baud), fmt.Sprint(other.Console.Baud)},
	} {
		if v.old != v.new {
			return fmt.Errorf("%s: %q may not become %q from afar", v.key, v.old, v.new)
		}
	}
	if glass := []string{"off", "challenge", "open"}; slices.Index(glass, other.Console.BreakGlass) < slices.Index(glass, c.Console.BreakGlass) {
		return fmt.Errorf("console.break_glass: %q may not become %q from afar", c.Console.BreakGlass, other.Console.BreakGlass)
	}
	for _, h := range other.Hooks {
		if len(h.Program) > 0 && !slices.ContainsFunc(c.Hooks, func(o Hook) bool { return slices.Equal(o.Program, h.Program) }) {
			return fmt.Errorf("nac.hook: no program that the gateway did not come with may be run from afar: %q", h.Program)
		}
	}
	if other.Uplink.URL == "" {
		return errors.New("uplink.url: nobody could take that back from afar")
	}
	return nil
}
