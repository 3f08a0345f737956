package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

// desiredDir is where the desired state is kept, apart from the database.
const desiredDir = "desired"

// obey makes the task that takes what people have signed; started is the policy
// that came from there before.
func (a *Agent) obey(started string) *command.Task {
	root, err := readRoot(a.cfg)
	if err != nil { // the ward is fenced all the same
		a.log.Error("no root of trust", "err", err)
		a.board.Set(health.Condition{Code: "manage.root", Severity: health.Failure, Text: "nobody new is obeyed: " + err.Error(), Since: a.clock.Now().Wall})
	}
	return command.New(command.Options{Site: a.cfg.Site.Name, Gateway: a.cfg.Gateway, Groups: a.cfg.Manage.Groups, Root: root,
		Keep: kept.Open(filepath.Join(a.cfg.State, desiredDir)), Room: a.store.Room("commands"),
		Fence: fence{a}, Devices: a.devices, Box: box{a}, Config: configuration{a}, Answers: a.uplink, Codes: a.codes,
		Valid: a.valid, Class: a.know.rules.Roles.Class, Policy: started, Known: a.enforce.Ready(),
		Clock: a.clock, Board: &a.board, Events: a.recent, Log: a.log})
}

// readRoot reads the file of the root of trust that came with provisioning; what
// is in it command judges.
func readRoot(cfg *config.Config) ([]byte, error) {
	text, err := os.ReadFile(cfg.Manage.Root)
	if err != nil {
		return nil, fmt.Errorf("manage.root: %w", err)
	}
	return text, nil
}

// inbound hands a message of the broker over.
func (a *Agent) inbound(m uplink.Inbound) bool { return a.command.Offer(command.Inbound(m)) }

// reached tells that the broker was.
func (a *Agent) reached() { a.command.Session() }

// valid says what is wrong with the text of a policy or a configuration.
func (a *Agent) valid(kind signed.Kind, toml string) error {
	switch kind {
	case signed.KindPolicy:
		p, err := a.parsePolicy("policy", toml)
		if err != nil {
			return err
		}
		links, err := a.host.Links.Links()
		if err != nil {
			return err
		}
		return policy.Admit(p, a.cfg.Lab, links)
	case signed.KindConfig:
		c, err := config.Parse("config", []byte(toml))
		if err != nil {
			return err
		}
		return a.cfg.MayBecome(c)
	}
	return nil
}

// configuration is the agent's own, to those who command it.
type configuration struct{ a *Agent }

// Apply ends the agent, unless it works with that configuration already: its
// supervisor starts it with the one that is kept.
func (c configuration) Apply(ctx context.Context, toml string) error {
	if c.InForce(toml) {
		return nil
	}
	c.a.log.Info("another configuration: the agent starts again")
	c.a.end(ErrAgain)
	<-ctx.Done()
	return ctx.Err()
}

// InForce reports whether this agent works with it.
func (c configuration) InForce(toml string) bool { return c.a.cfg.Desired == toml }

// startPolicy is the policy that people sent and that was in force, nil where
// there is none, with its text.
func (a *Agent) startPolicy() (*policy.Policy, string, error) {
	shelf, _ := desired.Open(kept.Open(filepath.Join(a.cfg.State, desiredDir))) // command tells what is wrong there
	s, ok := shelf.Current(signed.KindPolicy)
	if !ok {
		return nil, "", nil
	}
	args, err := signed.DecodeArgs[signed.Policy](s.Statement)
	if err != nil {
		return nil, "", err
	}
	p, err := a.parsePolicy("the policy of "+strings.Join(s.By, ", "), args.TOML)
	return p, args.TOML, err
}
