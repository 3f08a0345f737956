package lab

import (
	_ "embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

//go:embed policy.toml
var policyTemplate string

// Policy is the lab's policy for that ward, in that mode.
func Policy(c *cast.Cast, mode string) (string, error) {
	t, err := template.New("policy.toml").Option("missingkey=error").Parse(policyTemplate)
	if err != nil {
		return "", fmt.Errorf("lab policy: %w", err)
	}
	var b strings.Builder
	hub := ""
	if c.Kind != cast.Basic {
		hub = c.Member(cast.Hub).Addr.String()
	}
	if err := t.Execute(&b, map[string]string{
		"Hub":        hub,
		"Mode":       mode,
		"PumpServer": c.Member(cast.PumpServer).Addr.String(),
		"Central":    c.Member(cast.Central).Addr.String(),
		"PACS":       c.Member(cast.PACS).Addr.String(),
		"Infra":      c.Member(cast.Infra).Addr.String(),
	}); err != nil {
		return "", fmt.Errorf("lab policy: %w", err)
	}
	return b.String(), nil
}

// gatewayFiles is what the agent's configuration names.
type gatewayFiles struct {
	dir     string // holds all of it, and the state
	console string // the pty
	broker  string // URL
	root    string // of trust, "" for none
	rules   string // folder, "" for the embedded rules
	noRing  bool   // capture with recvmmsg
	uplink  string
	ward    []string
	guest   *guestView // nil: the agent runs here
}

// guestView is what an agent in a virtual machine sees instead.
type guestView struct {
	etc, state string       // folders
	address    netip.Prefix // of the gateway itself
}

func (g gatewayFiles) config() string { return filepath.Join(g.dir, "wardkeeper.toml") }
func (g gatewayFiles) policy() string { return filepath.Join(g.dir, "policy.toml") }
func (g gatewayFiles) state() string  { return filepath.Join(g.dir, "state") }
func (g gatewayFiles) log() string    { return filepath.Join(g.dir, "agent.log") }

// Config is the agent's configuration file.
func (g gatewayFiles) Config(c *cast.Cast) string {
	ports := make([]string, len(g.ward))
	for i, p := range g.ward {
		ports[i] = strconv.Quote(p)
	}
	q := strconv.Quote
	policy, state := g.policy(), g.state()
	if g.guest != nil {
		policy, state = filepath.Join(g.guest.etc, filepath.Base(policy)), g.guest.state
	}
	lines := []string{
		"gateway = " + q(c.Gateway),
		"lab     = true",
		`mode    = "bridge"`,
		"[site]",
		"name     = " + q(c.Site),
		"internal = [" + q(c.Subnet.String()) + "]",
		"[ports]",
		"uplink = " + q(g.uplink),
		"ward   = [" + strings.Join(ports, ", ") + "]",
		"[uplink]",
		"url = " + q(g.broker),
		"[console]",
		"device = " + q(g.console),
		"[policy]",
		"file = " + q(policy),
		"[state]",
		"dir = " + q(state),
	}
	if g.root != "" {
		lines = append(lines, "[manage]", "root = "+q(g.root))
	}
	if g.guest != nil {
		lines = append(lines, "[mgmt]", "address = "+q(g.guest.address.String()))
	}
	if g.noRing {
		lines = append(lines, "[observe]", "recvmmsg = true")
	}
	if g.rules != "" {
		lines = append(lines, "[rules]", "dir = "+q(g.rules))
	}
	return strings.Join(lines, "\n") + "\n"
}

// write puts configuration and policy in place.
func (g gatewayFiles) write(c *cast.Cast, mode string) error {
	policy, err := Policy(c, mode)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(g.state(), 0o700); err != nil {
		return fmt.Errorf("agent's state folder: %w", err)
	}
	for path, text := range map[string]string{g.config(): g.Config(c), g.policy(): policy} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("agent's configuration: %w", err)
		}
	}
	return nil
}
