package uplink

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who asks for what the broker retains gets it once more, in the same session.
func TestAgain(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b, e := &broker{reply: incoming(down1+"desired/policy", 1, true, "p")}, &ear{}
		r := start(t, s, scripted(b), e.hear)
		time.Sleep(time.Hour)
		before := len(e.all())
		r.up.Again()
		r.up.Again()
		time.Sleep(time.Hour)
		if got := len(e.all()); before == 0 || got != 2*before || r.up.Status().Sessions != 1 {
			t.Errorf("%d messages, then %d, in %d sessions", before, got, r.up.Status().Sessions)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	})
}
