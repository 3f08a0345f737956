package uplink

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/health"
)

// deafCondition is the code on the health board.
const deafCondition = "uplink.deaf"

// sub is a subscription without an answer.
type sub struct {
	receipt Receipt
	filter  string
	limit   <-chan time.Time
}

// subscribe asks for all filters. That a broker refuses one, or keeps silent,
// does not end the session: reporting goes on, and the board says it.
func (r *run) subscribe() {
	for _, f := range r.u.filters {
		select {
		case <-r.s.Lost():
			return
		default:
		}
		if !slices.ContainsFunc(r.subs, func(s sub) bool { return s.filter == f }) {
			r.u.busy() // as publish
			r.subs = append(r.subs, sub{r.s.Subscribe(f), f, time.After(r.u.ackLimit)})
		}
	}
}

// asked are the channels of the oldest subscription without an answer.
func (r *run) asked() (answered <-chan struct{}, late <-chan time.Time) {
	if len(r.subs) == 0 {
		return nil, nil
	}
	return r.subs[0].receipt.Done(), r.subs[0].limit
}

// granted takes the oldest subscription off: it has its answer, or gets none.
func (r *run) granted() {
	s := r.subs[0]
	r.subs = r.subs[1:]
	err := ErrRefused // or as good as
	select {
	case <-s.receipt.Done():
		err = s.receipt.Err()
	default:
	}
	if err == nil || errors.Is(err, ErrRefused) { // else the session is at its end
		r.u.noteGranted(s.filter, err == nil)
	}
}

// noteGranted keeps the list of what the broker does not let us hear; one log
// line for each change.
func (u *Uplink) noteGranted(filter string, ok bool) {
	u.mu.Lock()
	was := slices.Contains(u.status.Deaf, filter)
	deaf := slices.DeleteFunc(slices.Clone(u.status.Deaf), func(f string) bool { return f == filter })
	if !ok {
		deaf = append(deaf, filter)
		slices.Sort(deaf)
	}
	u.status.Deaf = deaf
	u.mu.Unlock()
	switch {
	case was == !ok:
	case ok:
		u.opt.Log.Info("broker grants a subscription again", "task", u.String(), "filter", filter)
	default:
		u.opt.Log.Warn("broker refuses a subscription", "task", u.String(), "filter", filter)
	}
	if len(deaf) == 0 {
		u.opt.Board.Clear(deafCondition)
		return
	}
	u.opt.Board.Set(health.Condition{Code: deafCondition, Severity: health.Warning, Since: u.opt.Clock.Now().Wall,
		Text: "the broker does not let this gateway hear " + strings.Join(deaf, ", ") + ": no command and no desired state from there"})
}
