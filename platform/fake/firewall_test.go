package fake_test

import (
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// clock stands still until it is advanced.
type clock struct{ mono time.Duration }

func (c *clock) Now() time.Time      { return time.Unix(1_800_000_000, 0).Add(c.mono) }
func (c *clock) Mono() time.Duration { return c.mono }
func (c *clock) Synced() bool        { return true }
func (c *clock) BootID() string      { return "test" }

func openBridge(*testing.T) hosttest.Rig {
	c := &clock{mono: time.Hour}
	return fake.NewBridge(fake.NewFirewall(c), func(d time.Duration) { c.mono += d }, hosttest.Ports()...)
}

func TestFirewall(t *testing.T) { hosttest.Firewall(t, openBridge) }
