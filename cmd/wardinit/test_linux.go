package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// testFile is what whoever runs a virtual machine hands to it
// (-fw_cfg name=opt/ward/test,string=WORDS). A board has no such device.
const testFile = "/sys/firmware/qemu_fw_cfg/by_name/opt/ward/test/raw"

// testWords are what a test asks for that cannot be had from outside: none of it
// opens anything that who runs the machine could not open anyway.
type testWords struct {
	hang    bool          // "hang-init": PID 1 stops where it supervises
	noAgent bool          // "no-agent": it is never started
	open    time.Duration // "open=20s": for how long the button opens, 0 as always
	kill    time.Duration // "kill-agent=20s": when PID 1 has begun to supervise, 0 never
	stop    time.Duration // "stop-agent=40s": the same, with SIGSTOP: it hangs
	faults  bool          // "fault-tasks": at each start of the agent another task of it hangs or panics
}

func readTestWords() testWords {
	text, err := os.ReadFile(testFile)
	if err != nil {
		return testWords{}
	}
	return parseTestWords(string(text))
}

func parseTestWords(text string) (w testWords) {
	for _, word := range strings.Fields(text) {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "hang-init":
			w.hang = true
		case "no-agent":
			w.noAgent = true
		case "fault-tasks":
			w.faults = true
		case "open":
			if d, err := time.ParseDuration(value); err == nil && d > 0 && d < openFor {
				w.open = d
			}
		case "kill-agent":
			w.kill = span(value)
		case "stop-agent":
			w.stop = span(value)
		}
	}
	return w
}

// span is a time that is meant; 0: none.
func span(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return max(d, 0)
}

// after is like time.After, but never for 0.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// agentLog takes the agent's log. A test of faults is told, in the kernel's time,
// when each is acted out.
func (b *box) agentLog() io.Writer {
	if !b.test.faults {
		return &b.log
	}
	return io.MultiWriter(&b.log, faultLines{b.say})
}

// faultLines says the lines of the agent's log that tell of a fault.
type faultLines struct{ say *speaker }

func (f faultLines) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if bytes.Contains(line, []byte(lifesign.FaultLine)) {
			f.say.info("%s", bytes.TrimSpace(line))
		}
	}
	return len(b), nil
}
