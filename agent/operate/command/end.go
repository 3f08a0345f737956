package command

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// end is a moment to come, which a restart and a clock that jumps do not move.
type end struct {
	Wall   time.Time     `json:"wall,omitzero"` // zero: the time was not known
	BootID string        `json:"boot_id"`
	Mono   time.Duration `json:"mono"` // since that boot
	// Since is when it was set, on the same clock: a boot of that name which is
	// younger is another, of a box that lacks randomness.
	Since time.Duration `json:"since,omitempty"`
}

// trusted reports that the wall clock may be acted on.
func trusted(now clock.Stamp) bool { return now.Quality == clock.NTP || now.Quality == clock.RTC }

// endIn is the moment in d.
func endIn(d time.Duration, now clock.Stamp) end {
	e := end{BootID: now.BootID, Mono: now.Mono + d, Since: now.Mono}
	if trusted(now) {
		e.Wall = now.Wall.Add(d)
	}
	return e
}

// left is how long it is until then. After a reboot without trusted time nobody
// knows, and known is false.
func (e end) left(now clock.Stamp) (d time.Duration, known bool) {
	switch {
	case e.thisBoot(now):
		return e.Mono - now.Mono, true
	case trusted(now) && !e.Wall.IsZero():
		return e.Wall.Sub(now.Wall), true
	}
	return 0, false
}

// thisBoot reports that it was set in the boot that now is of.
func (e end) thisBoot(now clock.Stamp) bool { return e.BootID == now.BootID && now.Mono >= e.Since }

// over reports that it has passed, or that nobody knows.
func (e end) over(now clock.Stamp) bool {
	d, known := e.left(now)
	return !known || d <= 0
}
