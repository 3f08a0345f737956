package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// kernelCounters reads the packet counters of the agent's drop rules from the
// kernel, past the agent. They stand beside the verdict; they are no part of it.
func kernelCounters(ctx context.Context) (map[string]uint64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	t, err := linux.NewFirewall(linux.FirewallOptions{}).Read(ctx, platform.FamilyBridge, agentTable)
	if errors.Is(err, platform.ErrNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kernel counters: %w", err)
	}
	return dropped(t), nil
}
