package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/witness"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// crew is goroutines that end together.
type crew struct {
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

func newCrew(ctx context.Context) *crew {
	c := new(crew)
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

func (c *crew) stop() {
	c.cancel()
	c.wait.Wait()
}

// killWard is the ward around an agent that is killed: its devices at work, an
// intruder who never rests, and witnesses on every card.
type killWard struct {
	cast             *cast.Cast
	ward             *ward.Ward
	stand            *witness.Stand
	stage            *sim.Stage
	servers, clients *crew
	beat             *heartbeat

	mu     sync.Mutex
	silent map[string]int // exchanges that were not answered, with the reason
	faults []string
}

// openKillWard builds the ward in the current namespaces and switches it on.
func openKillWard(ctx context.Context, c *cast.Cast) (_ *killWard, err error) {
	k := &killWard{cast: c, servers: newCrew(ctx), clients: newCrew(ctx), silent: map[string]int{}}
	if k.ward, err = ward.Build(c); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if k.stand, err = witness.Watch(k.ward); err != nil {
		return nil, err
	}
	k.stage = &sim.Stage{Ward: k.ward, Report: k.talk}
	infra := k.ward.Host(cast.Infra)
	for _, p := range cast.Parts() {
		if h := k.ward.Host(p); p.Uplink() {
			err = h.AddAddr(netip.PrefixFrom(h.Addr, c.Subnet.Bits()))
			if err == nil && p != cast.Infra {
				err = h.DefaultRoute(infra.Addr)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	st := k.stage
	k.launch(k.servers, "dhcp server", st.DHCPServer)
	k.launch(k.servers, "intranet", st.Intranet)
	k.launch(k.servers, "hl7 server", st.HL7Server)
	k.launch(k.servers, "tls server", st.TLSServer)
	k.launch(k.servers, "pacs", st.PACS)
	time.Sleep(100 * time.Millisecond) // they listen by now
	for _, p := range []cast.Part{cast.Pump, cast.Monitor, cast.Ultrasound, cast.Printer, cast.PC, cast.Intruder} {
		if err := st.Join(ctx, p); err != nil {
			return nil, err
		}
	}
	for _, p := range killDevices() {
		k.launch(k.servers, p.String()+" doors", func(ctx context.Context) error { return st.Doors(ctx, p, 23, 445) })
	}
	k.launch(k.servers, "intruder's share", func(ctx context.Context) error { return st.Doors(ctx, cast.Intruder, 445) })
	k.launch(k.servers, "printer", st.Printer)
	if k.beat, err = newHeartbeat(ctx, k.ward, c); err != nil {
		return nil, err
	}
	k.launch(k.servers, "heartbeat's ear", k.beat.hear)
	return k, nil
}

// work sets the devices and the intruder to their work.
func (k *killWard) work(ctx context.Context) {
	k.clients = newCrew(ctx)
	k.launch(k.clients, "monitor", k.stage.Monitor)
	k.launch(k.clients, "central", k.stage.Central)
	k.launch(k.clients, "pump", k.stage.Pump)
	k.launch(k.clients, "ultrasound", k.stage.Ultrasound)
	k.launch(k.clients, "pc", k.stage.PC)
	k.launch(k.clients, "heartbeat", k.beat.run)
	k.launch(k.clients, "intruder", k.intrude)
}

// rest stops the work from the clients' side, and waits until what was sent
// last has arrived.
func (k *killWard) rest() {
	k.clients.stop()
	time.Sleep(300 * time.Millisecond)
}

func (k *killWard) close() {
	k.clients.stop()
	k.servers.stop()
	if k.stand != nil {
		k.stand.Close()
	}
	k.ward.Close()
}

func (k *killWard) launch(c *crew, name string, fn func(context.Context) error) {
	c.wait.Go(func() {
		if err := fn(c.ctx); err != nil && c.ctx.Err() == nil {
			k.fault(name + ": " + err.Error())
		}
	})
}

func (k *killWard) fault(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faults = append(k.faults, text)
}

// talk takes what the simulators report.
func (k *killWard) talk(t sim.Talk) {
	if t.Err == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.silent[fmt.Sprintf("%v -> %v %s: %s: %v", t.From, t.To, t.Service, t.What, t.Err)]++
}

// forget begins the count of unanswered exchanges anew.
func (k *killWard) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.silent)
}

// complaints are the unanswered exchanges and the lab's own failures.
func (k *killWard) complaints() (silent, faults []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.silent)), slices.Clone(k.faults)
}

// intrude sends a datagram to another port of the next device all the time, so
// that there is always something new to report, and knocks at doors that are
// open.
func (k *killWard) intrude(ctx context.Context) error {
	h := k.ward.Host(cast.Intruder)
	c, err := h.ListenUDP(ctx, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	var wait sync.WaitGroup
	defer wait.Wait()
	devices := killDevices()
	t := time.NewTicker(40 * time.Millisecond)
	defer t.Stop()
	for n := 0; ; n++ {
		p := devices[n%len(devices)]
		to := netip.AddrPortFrom(k.cast.Member(p).Addr, uint16(30000+n/len(devices)%20000)) // none of which anybody serves
		if _, err := c.WriteToUDPAddrPort([]byte("probe"), to); err != nil && !errors.Is(err, net.ErrClosed) && ctx.Err() == nil {
			return fmt.Errorf("probe %v: %w", to, err)
		}
		if n%25 == 0 {
			wait.Go(func() { k.knock(ctx, p) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// knock tries telnet; that it fails is what the witnesses say.
func (k *killWard) knock(ctx context.Context, p cast.Part) {
	dctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if c, err := k.ward.Host(cast.Intruder).DialFrom(dctx, netip.Addr{}, "tcp4", netip.AddrPortFrom(k.cast.Member(p).Addr, 23).String()); err == nil {
		c.Close()
	}
}

// tried is how many packets the intruder has sent to devices, and arrived how
// many of them reached one.
func (k *killWard) tried() (n uint64) {
	for _, p := range killDevices() {
		n += k.stand.At(cast.Intruder).Sent(witness.Flow{From: cast.Intruder, To: p})
	}
	return n
}

func (k *killWard) arrived() (n uint64) {
	for _, p := range killDevices() {
		for _, a := range k.stand.At(p).Arrivals(cast.Intruder) {
			n += a
		}
	}
	return n
}

// awaitClosed waits until the intruder has been kept out for half a second
// while it tried.
func (k *killWard) awaitClosed(patience time.Duration) bool {
	since, tried, arrived := time.Now(), k.tried(), k.arrived()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if n := k.arrived(); n != arrived {
			since, tried, arrived = time.Now(), k.tried(), n
		}
		if time.Since(since) > 500*time.Millisecond && k.tried() >= tried+8 {
			return true
		}
	}
	return false
}

// pairs is the clinical traffic as both ends counted it.
func (k *killWard) pairs() []verdict.Pair {
	var out []verdict.Pair
	add := func(from, to cast.Part, group bool) {
		f := witness.Flow{From: from, To: to, Group: group}
		out = append(out, verdict.Pair{From: from, To: to, Group: group, Sent: k.stand.At(from).Sent(f), Received: k.stand.At(to).Received(f)})
	}
	for _, p := range [][2]cast.Part{{cast.Pump, cast.PumpServer}, {cast.Monitor, cast.Central}, {cast.Ultrasound, cast.PACS}} {
		add(p[0], p[1], false)
		add(p[1], p[0], false)
	}
	add(cast.Monitor, cast.Central, true)
	return out
}

// refused reads the kernel's counters of refused packets past the agent, and
// whether there are rules at all.
func refused(ctx context.Context) (n uint64, table bool, err error) {
	t, err := linux.NewFirewall(linux.FirewallOptions{}).Read(ctx, platform.FamilyBridge, "wardkeeper")
	if errors.Is(err, platform.ErrNoTable) {
		return 0, false, nil
	}
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			if r.Counter && r.Verdict.Kind == platform.Drop {
				n += r.Packets
			}
		}
	}
	return n, err == nil, err
}

// flushTable removes the agent's rules behind its back.
func flushTable(ctx context.Context) error {
	return linux.NewFirewall(linux.FirewallOptions{}).Apply(ctx, platform.Change{Family: platform.FamilyBridge, Table: "wardkeeper",
		Steps: []platform.Step{{DeleteTable: &struct{}{}}}})
}

// deathWatch looks at the ward while no agent runs, until enough was tried.
func (k *killWard) deathWatch(ctx context.Context, kill int) deathWatch {
	const enough = 6 // probes, and beats
	w := deathWatch{after: kill}
	before, _, err := refused(ctx)
	tried, arrived, beat := k.tried(), k.arrived(), k.beat.sent()
	for begin := time.Now(); time.Since(begin) < 3*time.Second; time.Sleep(10 * time.Millisecond) {
		if k.tried() >= tried+enough && k.beat.sent() >= beat+enough {
			break
		}
	}
	w.tried = k.tried() - tried
	last := k.beat.sent()
	w.beats = last - beat
	time.Sleep(30 * time.Millisecond) // what was sent last arrives
	w.arrived = k.arrived() - arrived
	w.unheard = k.beat.unheard(beat, last)
	after, table, err2 := refused(ctx)
	if err := errors.Join(err, err2); err != nil {
		w.tableReadFailed = err.Error()
	}
	if w.table = table; after > before { // a table that is gone has no counters
		w.refused = after - before
	}
	return w
}
