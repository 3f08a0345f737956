package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// The break-glass button.
const (
	heldFor    = 5 * time.Second  // an elbow does not open a ward
	openFor    = 30 * time.Minute // from the last press
	lookEvery  = 5 * time.Second  // whether somebody closed it, while it is open
	askLimit   = 2 * time.Second  // for the kernel to answer
	buttonFile = "/run/wardkeeper/button"
)

// glass opens the gateway when the button is held, with the agent dead or alive.
// It runs beside the supervision and shares nothing with it.
type glass struct {
	firewall platform.Firewall
	mono     func() time.Duration // since boot
	say      *speaker
	led      string // file, "" for none
	file     string // that tells the agent, for its audit
	open     time.Duration

	until  time.Duration // since boot; 0: the button has nothing open
	placed bool          // the kernel has it
	looked time.Duration
	why    string // why it is not placed, as said last
}

// watchButton begins to watch, where the board has a button.
func (b *box) watchButton() {
	if b.board.Button.KeyCode == 0 {
		return
	}
	g := &glass{firewall: linux.NewFirewall(linux.FirewallOptions{}), mono: linux.New(linux.Options{}).Clock.Mono, say: b.say,
		file: buttonFile, open: cmp.Or(b.test.open, openFor)}
	if b.board.Button.LED != "" {
		g.led = filepath.Join("/sys/class/leds", b.board.Button.LED, "brightness")
	}
	b.step("prepare the button", os.MkdirAll(filepath.Dir(buttonFile), 0o700))
	downs := make(chan bool)
	go findKeys("/dev/input", b.board.Button.Device, uint16(b.board.Button.KeyCode), downs)
	go g.watch(downs)
}

// watch goes on until downs is closed, for ever on a gateway.
func (g *glass) watch(downs <-chan bool) {
	var held <-chan time.Time
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case down, ok := <-downs:
			if !ok {
				return
			}
			held = nil
			if down {
				held = time.After(heldFor)
			}
		case <-held:
			held = nil
			g.press()
		case <-ticker.C:
			g.tick()
		}
	}
}

// press opens, or renews what is open.
func (g *glass) press() {
	now := g.mono()
	g.until, g.placed, g.why = now+g.open, false, ""
	g.say.alarm("break-glass: the button opens the whole gateway for %s", g.open)
	// The record comes first: the agent wakes when the kernel's rules change.
	record := fmt.Sprintf("%d %d\n", now.Milliseconds(), g.until.Milliseconds())
	if err := errors.Join(os.WriteFile(g.file+".tmp", []byte(record), 0o600), os.Rename(g.file+".tmp", g.file)); err != nil {
		g.say.alarm("break-glass: it will be missing in the audit: %v", err)
	}
	g.light(true)
	g.place()
}

// tick tries again, and notes the end.
func (g *glass) tick() {
	now := g.mono()
	switch {
	case g.until == 0:
	case now >= g.until:
		g.end("its time is over")
	case !g.placed:
		g.place()
	case now >= g.looked+lookEvery && g.closed(now):
		g.end("it was closed")
	}
}

// place sets the element, for the rest of the time. Where there are no rules
// nothing is filtered, and those that come are opened at once.
func (g *glass) place() {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	now := g.mono()
	err := g.firewall.Apply(ctx, policy.BreakGlass(g.until-now))
	if err == nil {
		g.placed, g.looked = true, now
		g.say.alarm("break-glass: the gateway is open")
		return
	}
	why := fmt.Sprintf("not open yet: %v", err)
	if _, err := g.firewall.Read(ctx, platform.FamilyBridge, policy.TableName); errors.Is(err, platform.ErrNoTable) {
		why = "there are no rules, nothing is filtered"
	}
	if why != g.why {
		g.why = why
		g.say.alarm("break-glass: %s", why)
	}
}

// closed reports whether somebody closed what the button opened.
func (g *glass) closed(now time.Duration) bool {
	g.looked = now
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	table, err := g.firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
	return err == nil && policy.OpenFor(policy.Opened(table)) == 0
}

func (g *glass) end(why string) {
	g.until, g.placed = 0, false
	g.light(false)
	g.say.alarm("break-glass: the gateway is closed, %s", why)
}

func (g *glass) light(on bool) {
	if g.led == "" {
		return
	}
	value := []byte("0")
	if on {
		value = []byte("1")
	}
	if err := os.WriteFile(g.led, value, 0); err != nil {
		g.say.info("break-glass: %v", err)
	}
}

// findKeys sends every change of the key of the named device, for ever. A device
// that goes lets go of its key.
func findKeys(dir, name string, code uint16, downs chan<- bool) {
	known := map[string]os.FileInfo{} // followed, or not the button
	gone := make(chan string)
	for {
		devices, _ := filepath.Glob(filepath.Join(dir, "event*")) // the pattern is right
		for _, d := range devices {
			is, err := os.Stat(d)
			if err != nil || known[d] != nil && os.SameFile(is, known[d]) {
				continue
			}
			key, err := linux.OpenKey(d, name, code)
			if err == nil {
				go func() { follow(key, downs); gone <- d }()
			}
			if err == nil || errors.Is(err, linux.ErrNoKey) {
				known[d] = is
			}
		}
		select {
		case d := <-gone:
			delete(known, d)
		case <-time.After(time.Second):
		}
	}
}

func follow(key *linux.Key, downs chan<- bool) {
	down, err := key.Down()
	for ; err == nil; down, err = key.Next() {
		downs <- down
	}
	downs <- false
	_ = key.Close() // only read from
}
