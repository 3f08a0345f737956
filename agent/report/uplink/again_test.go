package uplink

import (
	"context"
	"errors"
	"net"
	"net/url"
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

// A connection that never comes to an end is left before that looks like a hang.
func TestConnectEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Broker{URL: &url.URL{Scheme: "mqtt", Host: "broker"}, Dial: func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(time.Hour)
			return nil, errors.New("at last")
		}}
		began := time.Now()
		if _, err := b.Connect(t.Context(), Message{}, nil); err == nil || time.Since(began) >= 15*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		time.Sleep(time.Hour) // the library's goroutines end
	})
}
