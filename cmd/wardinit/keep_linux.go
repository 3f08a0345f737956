package main

import (
	"errors"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// Cadence.
const (
	tick     = time.Second            // of the watchdog
	signLook = 250 * time.Millisecond // at the agent
	// Without a sign for so long the agent hangs; the first one may take longer: a
	// slow flash is given 45 s to check the database and to write a new one. Killing
	// one that is only slow costs a second or two of reports and no packet.
	signLimit, firstSign = 2500 * time.Millisecond, time.Minute
	// An agent that ends is started again at once; one that ends again soon
	// waits, twice as long each time.
	soon                  = time.Minute
	firstPause, lastPause = 100 * time.Millisecond, 30 * time.Second
)

// started is what became of starting the agent: it is read from a disk, which
// may not answer.
type started struct {
	agent *agent
	err   error
}

// keep supervises, for ever. It is the only goroutine that feeds the watchdog:
// when it hangs, the box is reset.
func (b *box) keep() {
	pause := firstPause
	var again <-chan time.Time
	starts := make(chan started, 1)
	feeder := newFeeder(b.connected, b.dog.feed, b.say)
	ticker, looks := time.NewTicker(tick), time.NewTicker(signLook)
	looked := time.Now()
	kill, stop := after(b.test.kill), after(b.test.stop)
	if b.rooted && !b.test.noAgent {
		again = b.firstStart()
	}
	for !b.test.hang {
		// The channels of an agent that is not there are nil: they never come.
		var sign chan byte
		var ended chan error
		if b.agent != nil {
			sign, ended = b.agent.sign, b.agent.ended
		}
		select {
		case s := <-b.stored: // after all
			b.take(s)
			b.settle()
			if b.rooted && !b.test.noAgent {
				again = b.firstStart()
			}
		case <-again:
			again = nil
			told, log, own := b.told(), b.agentLog(), !b.imageCfg
			go func() {
				a, err := startAgent(own, told, log)
				starts <- started{a, err}
			}()
		case s := <-starts:
			b.agent = s.agent
			if s.err != nil {
				b.say.alarm("start agent: %v", s.err)
				again = time.After(pause)
				pause = min(2*pause, lastPause)
			}
		case s := <-sign:
			b.agent.silent, b.agent.patience = 0, signLimit
			b.heard(s)
		case <-b.reboot:
			reboot()
		case err := <-ended:
			b.say.alarm("agent ended: %v", err)
			if b.refused(err) {
				b.imageCfg = true
				b.say.alarm("the gateway's own configuration was refused: the agent starts with the image's")
			}
			if time.Since(b.agent.began) > soon || b.test.faults {
				pause = firstPause
			}
			b.agent = nil
			reap()
			again = time.After(pause)
			pause = min(2*pause, lastPause)
		case <-kill:
			b.signal(unix.SIGKILL)
		case <-stop:
			b.signal(unix.SIGSTOP)
		case now := <-looks.C:
			b.look(now.Sub(looked))
			looked = now
		case <-ticker.C:
			feeder.tick()
		case err := <-feeder.answer:
			feeder.answered(err)
		}
	}
	b.say.alarm("test: PID 1 hangs")
	select {}
}

// heard does what a sign of the agent asks for.
func (b *box) heard(sign byte) {
	if b.unclear != nil {
		b.unclear()
	}
	switch {
	case sign == lifesign.Fenced:
		b.say.alarm("the agent is at work, its rules are in place, %d ms after its start", time.Since(b.agent.began).Milliseconds())
		if b.rescue != "" {
			b.rescue = ""
			b.say.alarm("rescue is over: the agent has put rules in place")
		}
	case sign == lifesign.Hung:
		b.say.alarm("the agent says that a task of it hangs, killing it; its log says which")
		b.agent.kill()
	case sign == lifesign.Ending:
		b.agent.patience = lifesign.EndLimit
	case sign == lifesign.Reboot && b.reboot == nil:
		b.say.alarm("the agent asks for a restart of the gateway, in %s", lifesign.RebootAfter)
		b.reboot = time.After(lifesign.RebootAfter)
	}
}

// reboot starts the box anew. A disk that does not answer must not keep it from
// that: what the agent has committed is on its medium already.
func reboot() {
	go func() { unix.Sync(); _ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) }()
	time.Sleep(syncLimit)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // where that fails, nobody feeds the watchdog
	select {}
}

// syncLimit is how long a restart waits for the disk.
const syncLimit = 3 * time.Second

// told is what the agent is told of the box.
func (b *box) told() []string {
	args := []string{"--button", buttonFile}
	if b.rescue != "" {
		args = append(args, "--rescue", b.rescue)
	}
	if b.data != "" {
		args = append(args, "--data", b.data)
	}
	if b.test.faults {
		b.faults++
		args = append(args, "--fault", strconv.Itoa(b.faults))
	}
	return args
}

// exitConfig is EX_CONFIG of sysexits.h: the agent ends so where a file that
// people write is wrong.
const exitConfig = 78

// refused reports whether the agent ended because of the gateway's own
// configuration: with the image's it at least observes, reports and has a
// console. The rules in the kernel stay.
func (b *box) refused(err error) bool {
	var exit *exec.ExitError
	return !b.imageCfg && b.agent.own && errors.As(err, &exit) && exit.ExitCode() == exitConfig
}

// signal does to the agent what a test asked for.
func (b *box) signal(s unix.Signal) {
	if b.agent != nil {
		b.say.alarm("test: %v for the agent", s)
		_ = b.agent.cmd.Process.Signal(s)
	}
}

// look ends an agent that hangs. passed is the time since the last look: one that
// comes late says that the box stood still, when nobody could give a sign.
func (b *box) look(passed time.Duration) {
	if b.agent == nil {
		return
	}
	if b.agent.silent += min(passed, 2*signLook); b.agent.silent > b.agent.patience {
		b.say.alarm("agent gives no sign since %s, killing it", b.agent.patience)
		b.agent.silent = 0
		b.agent.kill()
	}
}

// reap collects orphans of an agent that is gone: as PID 1 they are ours.
func reap() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if pid <= 0 || errors.Is(err, unix.ECHILD) {
			return
		}
	}
}
