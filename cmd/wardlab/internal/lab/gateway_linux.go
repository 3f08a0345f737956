package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/collect"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// startAgent starts the broker, the console's line and the agent, and waits a
// moment for its session. left ends the run when the user leaves the console.
func (r *run) startAgent(ctx context.Context, dir string, left func()) (stop func(), err error) {
	var undo []func()
	closeAll := func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	if err = r.openBroker(); err != nil {
		return nil, err
	}
	undo = append(undo, r.broker.Close)
	if r.console, err = openConsole(); err != nil {
		return nil, err
	}
	undo = append(undo, func() { r.console.Close() })
	r.files = gatewayFiles{dir: dir, console: r.console.slave, broker: "mqtt://" + r.broker.Addr().String(),
		rules: r.opts.Rules, noRing: r.opts.NoRing, uplink: ward.Uplink, ward: r.ward.Ports()}
	if r.opts.Image != "" {
		r.files.seenFromGuest(r.onUplink(gatewayHost))
	}
	if r.opts.Session {
		if r.operator, err = newOperator(ctx, r.opts.Wardctl, filepath.Join(dir, "operator"), r.cast, r.screen.say); err != nil {
			return nil, err
		}
		if err = r.operator.listen(r.files.broker); err != nil {
			return nil, err
		}
		undo = append(undo, r.operator.leave)
		r.files.root = filepath.Join(dir, "operator", rootFile)
	}
	if err = r.files.write(r.cast, r.opts.Mode); err != nil {
		return nil, err
	}
	start := func() (*agent, error) { return startAgent(r.opts.Agent, r.files) }
	if r.opts.Image != "" {
		machine, err := newGuest(r.opts.Image, r.opts.UEFI, r.console.slave, r.files)
		if err != nil {
			return nil, err
		}
		start = machine.start
	}
	if r.agent, err = start(); err != nil {
		return nil, err
	}
	undo = append(undo, func() { r.agent.stop(5 * time.Second) })
	if r.opts.Console {
		if err = r.attach(left); err != nil {
			return nil, err
		}
	}
	return closeAll, r.awaitSession(ctx)
}

// The lab's own addresses on the ward's network, behind those of the cast.
const (
	deskHost    = 250 // where the broker stands for a gateway that is a machine of its own
	gatewayHost = 251 // of that gateway
)

// onUplink is the n-th address of the ward's network.
func (r *run) onUplink(n byte) netip.Prefix {
	a := r.cast.Subnet.Masked().Addr().As4()
	a[3] = n
	return netip.PrefixFrom(netip.AddrFrom4(a), r.cast.Subnet.Bits())
}

// openBroker starts the broker. It stands on the gateway's loopback: the gateway
// needs no address on the ward for it, and nothing of it crosses the bridge. A
// gateway that is a machine of its own finds it behind its uplink.
func (r *run) openBroker() (err error) {
	at := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if r.opts.Image != "" {
		own := r.onUplink(deskHost)
		if err := r.ward.Desk(own); err != nil {
			return err
		}
		at = own.Addr()
	}
	r.broker, err = collect.Open(at, r.cast.Site, r.book)
	return err
}

// attach connects the user's terminal.
func (r *run) attach(left func()) error {
	restore, err := rawTerminal(os.Stdin)
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	r.console.attach(os.Stdin, os.Stdout, gone)
	r.servers.wait.Go(func() {
		select {
		case <-gone:
			left()
		case <-r.servers.ctx.Done():
		}
		restore()
	})
	return nil
}

// awaitSession waits until the agent's session with the broker stands, or five
// seconds: a ward does not wait for its gateway.
func (r *run) awaitSession(ctx context.Context) error {
	deadline := time.Now().Add(r.opts.start())
	for !r.book.Online() && time.Now().Before(deadline) && ctx.Err() == nil {
		if end := r.agent.ended(); end != "" {
			return fmt.Errorf("the agent ended at once (%s):\n%s", end, strings.Join(lastLines(r.files.log(), 8), "\n"))
		}
		waitBriefly()
	}
	if r.book.Online() {
		r.screen.say("agent up, session with the broker stands")
	} else {
		r.screen.say("agent up, no session with the broker after %v", r.opts.start())
	}
	return nil
}

// closeAgent stops the agent and takes in what it still has to say.
func (r *run) closeAgent(e *verdict.Evidence) {
	e.AgentEnd = r.agent.ended()
	if e.AgentEnd == "" {
		e.Console = r.askConsole()
		// Until the book is whole, the outbox may still be sending.
		for begin := time.Now(); !r.book.Complete() && time.Since(begin) < 3*time.Second; {
			waitBriefly()
		}
		if err := r.agent.stop(10 * time.Second); err != nil {
			r.fault(err.Error())
		}
		for begin := time.Now(); !r.book.Complete() && time.Since(begin) < time.Second; {
			waitBriefly()
		}
	} else {
		r.screen.say("the agent ended by itself: %s; its last words:", e.AgentEnd)
		for _, l := range lastLines(r.files.log(), 8) {
			r.screen.say("  %s", l)
		}
	}
	e.Dropped = r.broker.Dropped()
	r.search(e)
}

// askConsole has the console list the devices, as a person at the serial line
// would, and says what is wrong with the answer.
func (r *run) askConsole() string {
	if r.opts.Console {
		return "" // it was the user's
	}
	if err := r.console.enter("show devices"); err != nil {
		return "cannot be written to: " + err.Error()
	}
	// A console line has no room for the whole role.
	const want = "infusion-pump"
	for begin := time.Now(); time.Since(begin) < 2*time.Second; waitBriefly() {
		if r.console.said(want) {
			return ""
		}
	}
	return "\"show devices\" does not name an " + want
}

// search looks for patient data where it may not be: the broker's messages, the
// console, the agent's log and its database.
func (r *run) search(e *verdict.Evidence) {
	faults, leaked := r.book.Faults()
	for _, f := range faults {
		r.fault("unreadable message: " + f)
	}
	e.Leaked = leaked
	p := r.cast.Patient
	for _, s := range []string{p.Family, p.Given, p.ID} {
		if r.console.said(s) {
			e.Leaked = append(e.Leaked, "on the console")
		}
		for _, found := range filesWith(r.files.dir, s) {
			e.Leaked = append(e.Leaked, "in the agent's "+found)
		}
	}
}

// part finds the host that an event names by device id, address or MAC.
func (r *run) part(names ...string) cast.Part {
	for _, name := range names {
		name = strings.TrimPrefix(name, "local:")
		if m, ok := r.byMAC(name); ok {
			return m.Part
		}
		for _, p := range r.cast.Parts() {
			if r.cast.Member(p).Addr.String() == name {
				return p
			}
		}
	}
	return 0
}
