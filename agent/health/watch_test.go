package health

import (
	"slices"
	"testing"
	"time"
)

// TestWatch: who counts as hung after what. Each row is a task in its own way for
// 40 s of looks; standing stops the looks, and all beats, for that long.
func TestWatch(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name  string
		beats func(b *Board, now time.Duration) // at each look
		stand []time.Duration                   // stood still for 10 s then
		want  time.Duration                     // the first look that finds it; 0: none
	}{
		{"beats each second", func(b *Board, now time.Duration) {
			if now%s == 0 {
				b.Beat("x", now)
			}
		}, nil, 0},
		{"beats at the same instant of a coarse clock", func(b *Board, _ time.Duration) { b.Beat("x", 0) }, nil, 0},
		{"beats no more", func(b *Board, now time.Duration) {
			if now <= 5*s {
				b.Beat("x", now)
			}
		}, nil, 5*s + idleLimit + LookEvery},
		{"a commit of ten seconds", func(b *Board, now time.Duration) {
			switch now {
			case 5 * s:
				b.Busy("x", now)
			default:
				if now < 5*s || now > 15*s {
					b.Beat("x", now)
				}
			}
		}, nil, 0},
		{"a commit that does not end", func(b *Board, now time.Duration) {
			switch {
			case now < 5*s:
				b.Beat("x", now)
			case now == 5*s:
				b.Busy("x", now)
			}
		}, nil, 5*s + busyLimit + LookEvery},
		{"a hang behind a commit", func(b *Board, now time.Duration) {
			switch {
			case now < 5*s:
				b.Busy("x", now)
			case now == 5*s:
				b.Beat("x", now)
			}
		}, nil, 5*s + idleLimit + LookEvery},
		{"the machine stands still, then the task beats late", func(b *Board, now time.Duration) {
			if now%s == 500*time.Millisecond {
				b.Beat("x", now)
			}
		}, []time.Duration{5 * s, 16 * s, 27 * s}, 0},
		{"it hangs on a machine that stands still at times", func(b *Board, now time.Duration) {
			if now <= 4*s {
				b.Beat("x", now)
			}
		}, []time.Duration{5 * s}, 15*s + 750*time.Millisecond},
		{"never seen", func(*Board, time.Duration) {}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &Board{}
			w, found := Watch{Board: b}, time.Duration(0)
			for now := time.Duration(0); now < 40*s && found == 0; now += LookEvery {
				c.beats(b, now)
				if hung := w.Look(now); len(hung) > 0 {
					found = now
				}
				if slices.Contains(c.stand, now) {
					now += 10*s - LookEvery
				}
			}
			if found != c.want {
				t.Errorf("found after %s, want %s", found, c.want)
			}
		})
	}
}

// TestAct: a fault is acted out in the task, once, and at no sign of work.
func TestAct(t *testing.T) {
	var b Board
	acted := 0
	b.Act("x", func() { acted++ })
	b.Busy("x", 0)
	b.Beat("y", 0)
	if acted != 0 {
		t.Error("acted out by another, or at work")
	}
	b.Beat("x", 0)
	b.Beat("x", 0)
	if acted != 1 {
		t.Errorf("acted out %d times", acted)
	}
}
