package nac

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// Wire tells when a device last got through on the wire.
type Wire interface {
	// LastTalk is when, since boot, the gateway last saw a frame of the device that
	// an effective hook would have stopped; frames of exempt pairs and of the
	// minimal allow-list are none. ok is false where the gateway cannot see it.
	LastTalk(id device.ID) (at time.Duration, ok bool)
}

// Effect is what the wire shows of a hook. The names are persisted.
type Effect string

// Effects; "" is: not known yet.
const (
	Confirmed    Effect = "confirmed"     // it talked before, and is silent now
	NotEffective Effect = "not-effective" // it still talks
	Unknown      Effect = "unknown"       // silent before too, or out of sight
)

// again is how many times the usual silence takes back that a hook had no
// effect: a device that speaks up now and then does not make it flap.
const again = 10

// watch is how the effect of one hook is judged.
type watch struct {
	from   time.Duration // when the hook was applied, since boot
	talked bool          // the device talked shortly before
	settle time.Duration // what it says so long after the hook was under way already
	quiet  time.Duration // silence that counts
}

// judge says what is known at the moment now, given the last talk and what was
// known before; "" is not yet.
func (w watch) judge(before Effect, last time.Duration, seen bool, now time.Duration) Effect {
	begin := w.from + w.settle
	if !seen {
		if now-begin >= w.quiet && before == "" {
			return Unknown
		}
		return before
	}
	switch since := max(begin, last); {
	case last > begin && now-since < w.quiet, before == NotEffective && now-since < again*w.quiet:
		return NotEffective
	case now-since < w.quiet:
		return before
	case w.talked || last > begin || before == Confirmed || before == NotEffective:
		return Confirmed
	}
	return Unknown
}
