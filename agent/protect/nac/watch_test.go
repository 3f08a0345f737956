package nac

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	const s = time.Second
	talked := watch{from: 100 * s, talked: true, settle: 10 * s, quiet: 30 * s} // judged from 110 s on
	silent := talked
	silent.talked = false
	for _, tt := range []struct {
		name   string
		w      watch
		before Effect
		last   time.Duration
		seen   bool
		now    time.Duration
		want   Effect
	}{
		{"too early", talked, "", 99 * s, true, 139 * s, ""},
		{"silent for long enough", talked, "", 99 * s, true, 140 * s, Confirmed},
		{"its last words while the hook was under way", talked, "", 109 * s, true, 140 * s, Confirmed},
		{"it talks on", talked, "", 111 * s, true, 112 * s, NotEffective},
		{"it comes back", talked, Confirmed, 500 * s, true, 501 * s, NotEffective},
		{"it was silent before too", silent, "", 20 * s, true, 140 * s, Unknown},
		{"it was silent before, and talks now", silent, Unknown, 500 * s, true, 501 * s, NotEffective},
		{"out of sight, too early", talked, "", 0, false, 139 * s, ""},
		{"out of sight", talked, "", 0, false, 140 * s, Unknown},
		{"out of sight later", talked, Confirmed, 0, false, 900 * s, Confirmed},
		{"a pause is no silence once it talked", talked, NotEffective, 500 * s, true, 799 * s, NotEffective},
		{"a long silence is", talked, NotEffective, 500 * s, true, 800 * s, Confirmed},
		{"confirmed before a restart, too early to tell", talked, Confirmed, 0, true, 101 * s, Confirmed},
		{"confirmed before a restart", silent, Confirmed, 0, true, 140 * s, Confirmed},
	} {
		if got := tt.w.judge(tt.before, tt.last, tt.seen, tt.now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
