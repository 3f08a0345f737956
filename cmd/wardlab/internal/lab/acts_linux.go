package lab

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
)

// openServers sets up the hosts behind the uplink, with fixed addresses.
func (r *run) openServers() error {
	infra := r.ward.Host(cast.Infra)
	for _, p := range r.cast.Parts() {
		if !p.Uplink() {
			continue
		}
		h := r.ward.Host(p)
		if err := h.AddAddr(netip.PrefixFrom(h.Addr, r.cast.Subnet.Bits())); err != nil {
			return err
		}
		if p == cast.Infra {
			continue
		}
		if err := h.DefaultRoute(infra.Addr); err != nil {
			return err
		}
	}
	st := r.stage
	r.launch(&r.servers, "dhcp server", st.DHCPServer)
	r.launch(&r.servers, "intranet", st.Intranet)
	r.launch(&r.servers, "hl7 server", st.HL7Server)
	r.launch(&r.servers, "tls server", st.TLSServer)
	r.launch(&r.servers, "pacs", st.PACS)
	r.launch(&r.clients, "central", st.Central)
	return nil
}

// firstExam brings the ultrasound up with an association that is open before
// the agent's capture begins.
func (r *run) firstExam(ctx context.Context) error {
	time.Sleep(100 * time.Millisecond) // the servers listen by now; a refused first try would only cost a second
	if err := r.stage.Join(ctx, cast.Ultrasound); err != nil {
		return err
	}
	// The exam goes on by itself; only its beginning is waited for.
	begun := make(chan struct{})
	failed := make(chan error, 1)
	r.clients.wait.Go(func() { failed <- r.stage.Exam(r.clients.ctx, begun) })
	select {
	case <-begun:
		r.screen.say("ultrasound: an association is open before capture starts")
		return nil
	case err := <-failed:
		return fmt.Errorf("ultrasound: first association: %w", err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openWard switches the devices on.
func (r *run) openWard(ctx context.Context) error {
	parts := []cast.Part{cast.Pump, cast.Monitor, cast.Printer, cast.PC, cast.Intruder}
	errs := make([]error, len(parts))
	var wait sync.WaitGroup
	for i, p := range parts {
		wait.Go(func() { errs[i] = r.stage.Join(ctx, p) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	// What nobody should reach answers, so that silence means something.
	for _, p := range []cast.Part{cast.Pump, cast.Monitor, cast.Ultrasound, cast.Printer} {
		r.launch(&r.servers, p.String()+" doors", func(ctx context.Context) error { return r.stage.Doors(ctx, p, 23, 445) })
	}
	r.launch(&r.servers, "intruder's share", func(ctx context.Context) error { return r.stage.Doors(ctx, cast.Intruder, 445) })
	r.launch(&r.servers, "monitor", r.stage.Monitor)
	r.launch(&r.servers, "printer", r.stage.Printer)
	r.launch(&r.clients, "pump", r.stage.Pump)
	r.launch(&r.clients, "ultrasound", r.stage.Ultrasound)
	r.launch(&r.clients, "pc", r.stage.PC)
	r.screen.say("pump, monitor, printer, two PCs on: all have addresses by DHCP")
	return r.openBedside()
}

// talk takes what the simulators report.
func (r *run) talk(t sim.Talk) {
	x := verdict.Exchange{From: t.From, To: t.To, Service: t.Service}
	r.mu.Lock()
	var line string
	if t.Err != nil {
		if r.lost[x]++; r.lost[x] == 1 {
			line = fmt.Sprintf("%v -> %v %s: %s: %v", t.From, t.To, t.Service, t.What, t.Err)
		}
	} else if r.answered[x]++; r.answered[x] == 1 {
		line = fmt.Sprintf("%v -> %v %s passes: %s", t.From, t.To, t.Service, t.What)
	}
	r.mu.Unlock()
	if line != "" {
		r.screen.say("%s", line)
	}
}

// intrude lets the intruder loose and shows what became of it.
func (r *run) intrude(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	r.screen.say("intruder: scans, then borrows the pump server's address and a MAC")
	err := r.stage.Intrude(ctx, func(a sim.Attempt) {
		r.mu.Lock()
		r.attempts = append(r.attempts, a)
		r.mu.Unlock()
	})
	if err != nil && ctx.Err() == nil {
		r.fault("intruder: " + err.Error())
	}
	r.mu.Lock()
	lines := tries(r.attempts)
	r.mu.Unlock()
	for _, l := range lines {
		r.screen.say("%s", l)
	}
}
