package nac

import (
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

func TestDeadline(t *testing.T) {
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	// at is a moment: which boot, since when, and what the wall clock says.
	at := func(boot string, mono time.Duration, wall time.Time, q clock.Quality) clock.Stamp {
		return clock.Stamp{BootID: boot, Mono: mono, Wall: wall, Quality: q}
	}
	const hour = time.Hour
	begin := at("a", 10*hour, noon, clock.NTP)
	blind := at("a", 10*hour, noon, clock.Floor)
	for _, tt := range []struct {
		name  string
		noted clock.Stamp // an end in 4 h
		via   []clock.Stamp
		now   clock.Stamp
		want  time.Duration // left
	}{
		{"the same boot", begin, nil, at("a", 11*hour, noon.Add(hour), clock.NTP), 3 * hour},
		{"the same boot, over", begin, nil, at("a", 15*hour, noon.Add(5*hour), clock.NTP), -hour},
		{"the wall clock jumps ahead", begin, nil, at("a", 11*hour, noon.AddDate(1, 0, 0), clock.NTP), 3 * hour},
		{"the wall clock jumps back", begin, nil, at("a", 15*hour, noon.AddDate(-1, 0, 0), clock.NTP), -hour},
		{"another boot, both clocks trusted", begin, nil, at("b", time.Minute, noon.Add(hour), clock.NTP), 3 * hour},
		{"over while it was off", begin, nil, at("b", time.Minute, noon.Add(5*hour), clock.NTP), -hour},
		{"an RTC will do", begin, nil, at("b", time.Minute, noon.Add(hour), clock.RTC), 3 * hour},
		{"another boot, and the clock went back", begin, nil, at("b", time.Minute, noon.AddDate(-1, 0, 0), clock.NTP), 4*hour - time.Minute},
		{"another boot without a clock counts what was left", begin, nil, at("b", hour, time.Unix(5, 0), clock.None), 3 * hour},
		{"a clock that is not synchronised is none", begin, nil, at("b", hour, noon.Add(9*hour), clock.Floor), 3 * hour},
		{"noted without a clock", blind, nil, at("b", hour, noon.Add(9*hour), clock.NTP), 3 * hour},
		{"noted without a clock, the clock came in the same boot", blind, []clock.Stamp{at("a", 11*hour, noon.Add(100*hour), clock.NTP)},
			at("b", time.Minute, noon.Add(102*hour), clock.NTP), hour},
		{"two boots without a clock", begin, []clock.Stamp{at("b", hour, time.Unix(5, 0), clock.None)}, at("c", hour, time.Unix(5, 0), clock.None), 2 * hour},
		{"a clock again after a boot without", begin, []clock.Stamp{at("b", time.Minute, time.Unix(5, 0), clock.None)}, at("b", 2*time.Minute, noon.Add(3*hour), clock.NTP), hour},
		{"two boots without a clock, then one with", begin, []clock.Stamp{at("b", time.Minute, time.Unix(5, 0), clock.None), at("c", time.Minute, time.Unix(5, 0), clock.None)},
			at("d", time.Minute, noon.Add(3*hour), clock.NTP), hour},
		{"the clock confirmed it, then jumps", begin, []clock.Stamp{at("b", time.Minute, noon.Add(hour), clock.NTP)}, at("b", 2*time.Minute, noon.AddDate(1, 0, 0), clock.NTP), 3*hour - time.Minute},
		{"the clock is lost in the same boot, then jumps", begin, []clock.Stamp{at("a", 11*hour, noon.Add(hour), clock.Floor)}, at("a", 12*hour, noon.AddDate(1, 0, 0), clock.NTP), 2 * hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDeadline(tt.noted, 4*hour)
			for _, v := range tt.via {
				if !d.stale(v) {
					t.Errorf("it need not be noted anew at %+v", v)
				}
				before := d.left(v)
				if d = d.renote(v); d.left(v) != before {
					t.Errorf("noting it anew changed what is left from %s to %s", before, d.left(v))
				}
			}
			if got := d.left(tt.now); got != tt.want {
				t.Errorf("%s left, want %s", got, tt.want)
			}
		})
	}
}

func TestDeadlineStale(t *testing.T) {
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	d := newDeadline(clock.Stamp{BootID: "a", Mono: time.Hour, Wall: noon, Quality: clock.NTP}, time.Hour)
	for _, tt := range []struct {
		now  clock.Stamp
		want bool
	}{
		{clock.Stamp{BootID: "a", Mono: time.Hour + time.Minute, Quality: clock.NTP}, false},
		{clock.Stamp{BootID: "a", Mono: time.Hour + noteEvery, Quality: clock.NTP}, true},
		{clock.Stamp{BootID: "a", Mono: time.Hour + time.Minute, Quality: clock.Floor}, false},
		{clock.Stamp{BootID: "b", Mono: time.Second, Quality: clock.Floor}, true},
	} {
		if got := d.stale(tt.now); got != tt.want {
			t.Errorf("stale at %+v: %v, want %v", tt.now, got, tt.want)
		}
	}
}
