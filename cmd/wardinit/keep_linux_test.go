package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// TestHeard: what each sign of the agent does.
func TestHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cleared := 0
		b := &box{say: newSpeaker(), rescue: "no rules after 10s", unclear: func() { cleared++ }}
		b.heard(lifesign.Alive)
		if cleared != 1 || b.rescue == "" || b.reboot != nil {
			t.Errorf("alive: cleared %d, rescue %q, reboot %v", cleared, b.rescue, b.reboot != nil)
		}
		b.heard(lifesign.Fenced)
		if b.rescue != "" {
			t.Errorf("fenced: rescue %q", b.rescue)
		}
		began := time.Now()
		b.heard(lifesign.Reboot)
		time.Sleep(time.Second)
		b.heard(lifesign.Reboot) // asked twice, it is not put off
		<-b.reboot
		if took := time.Since(began); took != lifesign.RebootAfter {
			t.Errorf("a restart after %s", took)
		}
	})
}
