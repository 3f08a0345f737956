package agent

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Check reads everything that New would and looks at the ports, changes
// nothing, and says on w what it found. The error joins all that is wrong.
func Check(cfg *config.Config, host platform.Host, w io.Writer) error {
	var errs []error
	know, err := loadKnowledge(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "rules: %d signatures, %d roles, vendors of %d\n", len(know.rules.Signatures), len(know.rules.Roles.Names()), know.vendors.Date())
	links, err := ports(cfg, host)
	errs = append(errs, err)
	for _, l := range links {
		fmt.Fprintf(w, "port %s: up %v, carrier %v\n", l.Name, l.Up, l.Carrier)
	}
	if cfg.Console.Device == "" {
		fmt.Fprintln(w, "console: none")
	} else {
		fmt.Fprintf(w, "console: %s, break-glass %s\n", cfg.Console.Device, cfg.Console.BreakGlass)
	}
	if cfg.Manage.Root == "" {
		fmt.Fprintln(w, "root of trust: none, nobody is obeyed from afar")
	} else if root, err := checkRoot(cfg); err != nil {
		errs = append(errs, err)
	} else {
		fmt.Fprintf(w, "root of trust: version %d\n", root.Version())
	}
	pol, err := readPolicy(cfg, know)
	switch {
	case err != nil:
		errs = append(errs, err)
	case pol == nil:
		fmt.Fprintln(w, "policy: none, everything is observed")
	default:
		fmt.Fprintf(w, "policy: version %d, %d segments\n", pol.Version, len(pol.Segments))
	}
	if err == nil {
		errs = append(errs, policy.Admit(pol, cfg.Lab, links))
	}
	return errors.Join(errs...)
}

// checkRoot reads the root of trust as command does.
func checkRoot(cfg *config.Config) (*signed.Root, error) {
	text, err := readRoot(cfg)
	if err != nil {
		return nil, err
	}
	root, err := command.ParseRoot(cfg.Site.Name, text)
	if err != nil {
		return nil, fmt.Errorf("manage.root: %s: %w", cfg.Manage.Root, err)
	}
	return root, nil
}

// ports looks at the configured ports.
func ports(cfg *config.Config, host platform.Host) ([]platform.Link, error) {
	var out []platform.Link
	var errs []error
	for _, name := range append([]string{cfg.Ports.Uplink}, cfg.Ports.Ward...) {
		l, err := host.Links.Link(name)
		switch {
		case errors.Is(err, platform.ErrNoPort):
			errs = append(errs, fmt.Errorf("port %s: no such port (there are: %s)", name, names(host)))
		case err != nil:
			errs = append(errs, err)
		default:
			out = append(out, l)
		}
	}
	return out, errors.Join(errs...)
}

// names lists the ports there are.
func names(host platform.Host) string {
	all, err := host.Links.Links()
	if err != nil {
		return err.Error()
	}
	var out []string
	for _, l := range all {
		out = append(out, l.Name)
	}
	return strings.Join(out, ", ")
}
