package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Preload puts the last confirmed rules into the kernel, before a port is up,
// and says on w what they are. It needs neither the database nor the policy
// file. An error means that no rules are in place.
func Preload(ctx context.Context, cfg *config.Config, host platform.Host, log *slog.Logger, build Build, w io.Writer) error {
	roles, err := loadRoles(cfg)
	if err != nil {
		return err
	}
	task := enforce.New(enforce.Options{Firewall: host.Firewall, Links: host.Links, Store: kept.Open(filepath.Join(cfg.State, rulesDir)),
		Clock: clock.New(host.Clock, build.Time), Board: &health.Board{}, Log: log, Roles: roles.Class, Lab: cfg.Lab,
		Internal: cfg.Site.Internal, Uplink: cfg.Ports.Uplink, Ward: cfg.Ports.Ward})
	said, err := task.Preload(ctx)
	if err != nil {
		return fmt.Errorf("load the last confirmed rules: %w", err)
	}
	_, err = fmt.Fprintln(w, said)
	return err
}
