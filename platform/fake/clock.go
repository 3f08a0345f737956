package fake

import (
	"fmt"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Clock = (*Clock)(nil)

// Clock runs with the time of the test, so that testing/synctest moves it, and
// can be wrong in all the ways a gateway's clock is.
type Clock struct {
	mu     sync.Mutex
	wall   time.Duration // what the wall clock is off the test's time
	boot   time.Time     // when Mono was zero
	boots  int
	synced bool
}

// newClock returns a synchronised clock of a box that was just switched on.
func newClock() *Clock { return &Clock{boot: time.Now(), boots: 1, synced: true} }

// Now is the wall clock, good or not.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Without a monotonic reading: a wall clock jumps.
	return time.Now().Add(c.wall).Round(0)
}

// Mono is the time since boot.
func (c *Clock) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.boot)
}

// Synced reports what SetSynced set.
func (c *Clock) Synced() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.synced
}

// BootID names this boot.
func (c *Clock) BootID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", c.boots)
}

// Set sets the wall clock, as a person or an NTP client would.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = time.Until(t)
}

// Jump moves the wall clock, forward or back; Mono does not notice.
func (c *Clock) Jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall += d
}

// Advance lets time pass for both clocks that does not pass for the test.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall += d
	c.boot = c.boot.Add(-d)
}

// SetSynced says whether the kernel believes its wall clock.
func (c *Clock) SetSynced(synced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.synced = synced
}

// Reboot begins another boot, not synchronised yet. Set the wall clock to 1970
// after it for a box without a real-time clock.
func (c *Clock) Reboot() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boot = time.Now()
	c.boots++
	c.synced = false
}
