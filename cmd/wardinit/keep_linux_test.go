package main

import (
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// TestHeard: what each sign of the agent does.
func TestHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cleared := 0
		b := &box{say: newSpeaker(), agent: &agent{began: time.Now()}, rescue: "no rules after 10s", unclear: func() { cleared++ }}
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

// TestAgentThatHangs: it is killed when it says so, when it is silent for too long,
// and not for a box that stood still.
func TestAgentThatHangs(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(b *box)
		want bool // killed
	}{
		{"it says that a task hangs", func(b *box) { b.heard(lifesign.Hung) }, true},
		{"silent", func(b *box) {
			for range signLimit/signLook + 1 {
				b.look(signLook)
			}
		}, true},
		{"not for long enough", func(b *box) {
			for range signLimit / signLook {
				b.look(signLook)
			}
		}, false},
		{"it ends", func(b *box) {
			b.heard(lifesign.Ending)
			for range lifesign.EndLimit / signLook {
				b.look(signLook)
			}
		}, false},
		{"it does not end", func(b *box) {
			b.heard(lifesign.Ending)
			for range lifesign.EndLimit/signLook + 1 {
				b.look(signLook)
			}
		}, true},
		{"the box stood still", func(b *box) { b.look(signLook); b.look(time.Hour); b.look(signLook) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command("sleep", "600")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			b := &box{say: newSpeaker(), agent: &agent{cmd: cmd, patience: signLimit}}
			c.do(b)
			// SIGTERM to one that is killed already changes nothing.
			_ = cmd.Process.Signal(unix.SIGTERM)
			_ = cmd.Wait() // it says what ended it
			if got := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == unix.SIGKILL; got != c.want {
				t.Errorf("killed: %v", got)
			}
		})
	}
}
