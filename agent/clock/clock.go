package clock

import (
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Quality says how far the wall time may be believed.
type Quality uint8

// Qualities, worst first. A box without a real-time clock boots in 1970.
const (
	None  Quality = iota + 1 // before the floor: worthless
	Floor                    // not before the floor, never synchronised
	NTP                      // the kernel says that it is synchronised
	RTC                      // set from a real-time clock
)

// String is the stable name.
func (q Quality) String() string {
	switch q {
	case None:
		return "none"
	case Floor:
		return "floor"
	case NTP:
		return "ntp"
	case RTC:
		return "rtc"
	}
	return "invalid"
}

// Stamp is a moment.
type Stamp struct {
	Wall    time.Time
	Mono    time.Duration // since boot
	BootID  string
	Quality Quality
}

// Clock stamps moments. It is safe for concurrent use.
type Clock struct {
	host  platform.Clock
	floor time.Time
}

// New makes a clock that never goes before floor: the time the binary was built
// or a later one that is known to have passed.
func New(host platform.Clock, floor time.Time) *Clock { return &Clock{host: host, floor: floor} }

// Now stamps this moment. Wall is at least the floor.
func (c *Clock) Now() Stamp {
	s := Stamp{Wall: c.host.Now().UTC(), Mono: c.host.Mono(), BootID: c.host.BootID(), Quality: Floor}
	switch {
	case s.Wall.Before(c.floor):
		s.Wall, s.Quality = c.floor.UTC(), None
	case c.host.Synced():
		s.Quality = NTP
	}
	return s
}
