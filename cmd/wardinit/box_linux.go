package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// Where things are in the initramfs.
const (
	boardFile  = "/board.toml"
	moduleDir  = "/modules"
	moduleList = "/modules.list"
	root       = "/root" // the slot's file system, the agent's root
	bridgeName = "br0"
)

// box is the gateway as PID 1 has it.
type box struct {
	say      *speaker
	firewall platform.Firewall
	board    images.Board
	bridge   linux.Bridge
	dog      *watchdog
	test     testWords
	stored   chan storage     // the disk's, once; nil: it came
	settled  chan struct{}    // closed once the ESP was read; nil: there is no slot
	rules    string           // what was loaded at boot; "": none
	imageCfg bool             // the gateway's own configuration was refused
	rooted   bool             // the slot's file system is there
	disk     disk             // it lies on
	data     string           // what is wrong with the data partition; "": nothing
	grow     func() error     // the data partition's file system; nil: nothing to do
	rescue   string           // why nothing is filtered; "": the rules are in place
	agent    *agent           // nil: none runs
	faults   int              // of the agent's that a test has asked for so far
	unclear  func()           // ends keepClear; nil: it was never begun
	reboot   <-chan time.Time // when the box starts anew; nil: nobody asked for it
	log      agentLog
}

// boot does all there is to do once. No step keeps the next from being tried:
// at the end the ward is connected, with the rules or in rescue.
func (b *box) boot() {
	began := time.Now()
	b.step("mount kernel file systems", mountKernel())
	b.step("open kernel log", b.say.open())
	b.step("read board", b.readBoard())
	// The watchdog first: from here on a hang ends by itself.
	b.step("load watchdog", loadModule(b.board.Watchdog.Module))
	b.openWatchdog()
	b.step("load modules", loadModules())
	b.openWatchdog() // a board whose watchdog came with the others
	b.step("set kernel", sysctls())
	b.test = readTestWords()
	b.watchButton()
	limit, cancel := context.WithTimeout(context.Background(), rulesLimit)
	defer cancel()
	b.stored = make(chan storage, 1)
	go func(to chan<- storage) { to <- mountSlot() }(b.stored)
	named := make(chan error, 1)
	b.bridge = linux.Bridge{Name: bridgeName, Ports: b.board.Ports.All()}
	go func() { named <- namePorts(b.board.Ports) }() // meanwhile
	b.store(limit)
	b.step("name ports", <-named) // whether rules may be enforced depends on them
	b.fence(limit)
	b.step("connect the ward", b.bridge.Up())
	b.settle()
	if b.rescue == "" {
		b.say.alarm("the ward is connected, filtered by the rules, %.1f s after the start: %s", time.Since(began).Seconds(), b.rules)
	}
}

// step notes what failed. The boot goes on.
func (b *box) step(what string, err error) {
	_ = b.dog.feed() // a boot that gets on is alive; keep says what is wrong with the dog
	b.note(what, err)
}

// note is step beside the boot.
func (b *box) note(what string, err error) {
	if err != nil {
		b.say.alarm("%s: %v", what, err)
		return
	}
	b.say.info("%s: done", what)
}

func (b *box) readBoard() error {
	data, err := os.ReadFile(boardFile)
	if err != nil {
		return err
	}
	b.board, err = images.ParseBoard(boardFile, data)
	return err
}

func (b *box) openWatchdog() {
	if b.dog != nil {
		return
	}
	dog, err := openWatchdog(b.board.Watchdog.Device, b.board.Watchdog.Seconds)
	if err != nil {
		b.say.alarm("watchdog: %v", err)
	}
	b.dog = dog // one that was opened runs, and must be fed whatever it refused
}

// rulesLimit is how long the ward waits for its rules: a hospital prefers an
// unfenced pump to a silent one.
const rulesLimit = 10 * time.Second

// store waits for the disk, but not for one that does not answer: what it brings
// later, keep takes.
func (b *box) store(limit context.Context) {
	select {
	case s := <-b.stored:
		b.take(s)
	case <-limit.Done():
	}
}

// take notes what became of the disk.
func (b *box) take(s storage) {
	b.stored, b.rooted, b.disk, b.data = nil, s.rooted, s.disk, s.data
	b.step("mount disk", errors.Join(s.errs...))
	if s.data != "" {
		b.say.alarm("data partition: %s", s.data)
	}
	b.grow = s.grow
}

// settle does what a disk may be slow at, beside the supervision.
func (b *box) settle() {
	if !b.rooted {
		return
	}
	from, grow, settled := b.disk, b.grow, make(chan struct{})
	b.settled = settled
	go func() {
		b.note("take over files of the ESP", mountESP(from))
		close(settled)
		go addressUntilDone(b.say)
		if grow != nil {
			b.note("grow the data partition", grow())
		}
		handOut(b.say)
	}()
}

// espLimit is how long the agent waits for what the ESP brings: on a gateway
// that is new, its configuration.
const espLimit = 5 * time.Second

// firstStart is when the agent may start.
func (b *box) firstStart() <-chan time.Time {
	at := make(chan time.Time, 1)
	go func(settled <-chan struct{}) {
		select {
		case <-settled:
		case <-time.After(espLimit):
		}
		at <- time.Now()
	}(b.settled)
	return at
}

// fence has the last confirmed rules put into the kernel, or goes to rescue.
func (b *box) fence(limit context.Context) {
	var gone <-chan struct{}
	err := errors.New("the slot's file system is not there")
	if b.rooted {
		var said string
		if said, gone, err = preload(limit); err == nil {
			b.rules = strings.TrimSpace(said)
			return
		}
	}
	b.toRescue(err, gone)
}
