package lab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
)

// openBedside switches on what the ward's kind has besides the basic ward.
func (r *run) openBedside() error {
	n := 0
	for _, p := range r.cast.Parts() {
		if !p.Bedside() || p.Uplink() {
			continue
		}
		if err := r.stage.Settle(p); err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return nil
	}
	scenes := r.stage.Scenes()
	attended := map[string]bool{} // one program listens on a port
	for _, x := range scenes {
		if at := x.To.String() + " " + x.Service; x.Answers() && !attended[at] {
			attended[at] = true
			r.launch(&r.servers, at, func(ctx context.Context) error { return r.stage.Attend(ctx, x) })
		}
	}
	time.Sleep(100 * time.Millisecond) // they listen by now
	for _, x := range scenes {
		r.launch(&r.clients, fmt.Sprintf("%v %s", x.From, x.What), func(ctx context.Context) error { return r.stage.Enact(ctx, x) })
	}
	r.screen.say("%s: %d devices more, with fixed addresses", r.cast.Kind, n)
	return nil
}

// work is what those devices must have done.
func (r *run) work() (out []verdict.Exchange) {
	if r.cast.Kind == cast.Basic {
		return nil
	}
	for _, x := range r.stage.Scenes() {
		out = append(out, verdict.Exchange{From: x.From, To: x.To, Service: x.Service})
	}
	return out
}

// bedsidePairs are the two directions of each conversation of a bedside device
// over TCP; a PC's is no clinical one.
func (r *run) bedsidePairs() (out []verdict.Pair) {
	seen := map[[2]cast.Part]bool{}
	for _, x := range r.work() {
		ends := [2]cast.Part{x.From, x.To}
		if !strings.HasPrefix(x.Service, "tcp/") || x.From == cast.PC || seen[ends] {
			continue
		}
		seen[ends], seen[[2]cast.Part{x.To, x.From}] = true, true
		out = append(out, verdict.Pair{From: x.From, To: x.To}, verdict.Pair{From: x.To, To: x.From})
	}
	return out
}

// enforced are the devices that the policy fences in: those whose role can be
// confirmed.
func (r *run) enforced() (out []cast.Part) {
	for _, p := range r.cast.Parts() {
		if p.Role() != "" && !p.Vague() {
			out = append(out, p)
		}
	}
	return out
}
