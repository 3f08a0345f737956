package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestFeeder: the watchdog is fed only while the kernel answers that the ward is
// connected; a question that hangs is asked once, and holds nobody.
func TestFeeder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fed := 0
		answers := make(chan error)
		f := newFeeder(func() error { return <-answers }, func() error { fed++; return nil }, newSpeaker())
		step := func(answer ...error) {
			f.tick()
			synctest.Wait()
			for _, a := range answer {
				answers <- a
				f.answered(<-f.answer)
			}
		}
		step(nil)
		step(nil)
		if fed != 2 || f.trouble != "" {
			t.Errorf("fed %d times, %q", fed, f.trouble)
		}
		step(errors.New("bridge br0 is down"))
		if fed != 2 || f.trouble != "bridge br0 is down" {
			t.Errorf("not connected: fed %d times, %q", fed, f.trouble)
		}
		for range 60 {
			step()
		}
		if fed != 2 || f.trouble != errNoAnswer.Error() {
			t.Errorf("no answer: fed %d times, %q", fed, f.trouble)
		}
		answers <- nil // of the question that hung
		time.Sleep(time.Second)
		f.answered(<-f.answer)
		if fed != 3 || f.trouble != "" {
			t.Errorf("answered after all: fed %d times, %q", fed, f.trouble)
		}
	})
}
