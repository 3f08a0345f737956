package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Cadence.
const (
	tick      = time.Second
	signLimit = 10 * time.Second // without a sign the agent hangs
	// An agent that ends is started again at once; one that ends again soon
	// waits, twice as long each time.
	soon                  = time.Minute
	firstPause, lastPause = 100 * time.Millisecond, 30 * time.Second
)

// keep supervises, for ever. It is the only goroutine that feeds the watchdog:
// when it hangs, the box is reset.
func (b *box) keep() {
	pause := firstPause
	var again <-chan time.Time
	ticker := time.NewTicker(tick)
	if b.rooted {
		again = time.After(0)
	}
	for {
		// The channels of an agent that is not there are nil: they never come.
		var sign chan byte
		var ended chan error
		if b.agent != nil {
			sign, ended = b.agent.sign, b.agent.ended
		}
		select {
		case <-again:
			again = nil
			if err := b.start(); err != nil {
				b.say.alarm("start agent: %v", err)
				again = time.After(pause)
				pause = min(2*pause, lastPause)
			}
		case s := <-sign:
			b.agent.last = time.Now()
			if s == signFenced && b.rescue != "" {
				b.rescue = ""
				b.say.alarm("rescue is over: the agent has put rules in place")
			}
		case err := <-ended:
			b.say.alarm("agent ended: %v", err)
			if time.Since(b.agent.began) > soon {
				pause = firstPause
			}
			b.agent = nil
			reap()
			again = time.After(pause)
			pause = min(2*pause, lastPause)
		case <-ticker.C:
			b.look()
		}
	}
}

func (b *box) start() error {
	a, err := startAgent(b.rescue, &b.log)
	if err != nil {
		return err
	}
	b.agent = a
	return nil
}

// look ends an agent that hangs, and feeds the watchdog if the ward is
// connected.
func (b *box) look() {
	if b.agent != nil && time.Since(b.agent.last) > signLimit {
		b.say.alarm("agent gives no sign since %s, killing it", signLimit)
		b.agent.last = time.Now()
		b.agent.kill()
	}
	if _, err := b.bridge.Check(); err != nil {
		b.say.alarm("the ward is not connected: %v", err)
		_ = b.bridge.Up() // what is left to say the next look says
		if _, err := b.bridge.Check(); err != nil {
			return
		}
	}
	if err := b.dog.feed(); err != nil {
		b.say.info("%v", err)
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
