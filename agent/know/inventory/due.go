package inventory

import "time"

// news says how much a device differs from what somebody else has of it.
type news uint8

// Kinds of news, the one that may wait longest first. None is the zero value.
const (
	_      news = iota
	counts      // last seen, packets, bytes
	learns      // a fact, an address, a conversation
	turns       // new, moved, another identity
)

// gaps are how long the news must wait after the last hand-over: devices that
// chatter must fill neither the uplink nor wear out the flash.
type gaps struct{ counts, learns, turns time.Duration }

// due is when a device is to be handed over to somebody.
type due struct {
	news news
	ever bool
	last time.Duration // hand-over, by the book's count
}

func (d *due) note(n news) { d.news = max(d.news, n) }

func (d *due) now(g gaps, at time.Duration) bool {
	wait := time.Duration(0)
	switch d.news {
	case counts:
		wait = g.counts
	case learns:
		wait = g.learns
	case turns:
		wait = g.turns
	default:
		return false
	}
	return !d.ever || at-d.last >= wait
}

func (d *due) done(at time.Duration) { *d = due{ever: true, last: at} }
