package nac

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// deadline is an end that stays right when the gateway reboots and its clocks
// jump. Within a boot the time since boot decides alone. In a later boot a wall
// clock that was trusted then and is trusted now may bring the end nearer; where
// there is none, what was left when it was last noted counts on, less the time
// since boot: time without power does not count, so it ends late, never early.
type deadline struct {
	Boot string        `json:"boot_id"`
	At   time.Duration `json:"at"`            // since that boot, when it was noted
	Left time.Duration `json:"left"`          // then
	Wall time.Time     `json:"wall,omitzero"` // the end by a trusted clock; zero: there was none
	Old  bool          `json:"old,omitempty"` // Wall is of an earlier boot, and no trusted clock has confirmed it since
}

func trusted(s clock.Stamp) bool { return s.Quality == clock.NTP || s.Quality == clock.RTC }

func newDeadline(now clock.Stamp, left time.Duration) deadline {
	d := deadline{Boot: now.BootID, At: now.Mono, Left: left}
	if trusted(now) {
		d.Wall = now.Wall.Add(left).Round(0)
	}
	return d
}

// left is how long it is to the end; not positive: it is over.
func (d deadline) left(now clock.Stamp) time.Duration {
	passed := now.Mono
	same := d.Boot == now.BootID
	if same {
		passed -= d.At
	}
	left := d.Left - passed
	if (!same || d.Old) && !d.Wall.IsZero() && trusted(now) {
		left = min(left, d.Wall.Sub(now.Wall))
	}
	return left
}

// renote is the same end as it is noted now.
func (d deadline) renote(now clock.Stamp) deadline {
	n := newDeadline(now, d.left(now))
	if n.Wall.IsZero() && !d.Wall.IsZero() {
		n.Wall, n.Old = d.Wall, d.Old || d.Boot != now.BootID
	}
	return n
}

// noteEvery bounds what a loss of power adds to a deadline without a clock.
const noteEvery = 15 * time.Minute

// stale reports that the end should be noted anew.
func (d deadline) stale(now clock.Stamp) bool {
	return d.Boot != now.BootID || now.Mono-d.At >= noteEvery || trusted(now) && (d.Wall.IsZero() || d.Old)
}
