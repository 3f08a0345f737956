package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// Exit codes of wardctl cmd.
const (
	cmdSucceeded = 0
	cmdRejected  = 3
)

// opened is for how long the session breaks the glass.
const opened = 6 * time.Second

// chatter is a host that talks all the time to one behind the uplink, and what
// arrives there.
type chatter struct {
	stop     context.CancelFunc
	arrived  atomic.Int64
	last     atomic.Int64 // when, nanoseconds since 1970
	from, to *net.UDPConn
}

// chatterEvery is the pace, and chatterPort a port that nobody uses.
const (
	chatterEvery = time.Millisecond
	chatterPort  = 7009
)

// startChatter has the intruder talk to the infrastructure, which its segment
// does not forbid.
func (r *run) startChatter(ctx context.Context) (*chatter, error) {
	c := &chatter{}
	var err error
	if c.to, err = r.ward.Host(cast.Infra).ListenUDP(ctx, chatterPort); err != nil {
		return nil, err
	}
	if c.from, err = r.ward.Host(cast.Intruder).ListenUDP(ctx, 0); err != nil {
		return nil, err
	}
	ctx, c.stop = context.WithCancel(ctx)
	at := netip.AddrPortFrom(r.cast.Member(cast.Infra).Addr, chatterPort)
	r.servers.wait.Go(func() {
		tick := time.NewTicker(chatterEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			_, _ = c.from.WriteToUDPAddrPort([]byte("chatter"), at) // what is not sent does not arrive, and that is seen
			<-tick.C
		}
	})
	r.servers.wait.Go(func() {
		for b := make([]byte, 64); ; {
			if _, _, err := c.to.ReadFromUDPAddrPort(b); err != nil {
				return
			}
			c.last.Store(time.Now().UnixNano())
			c.arrived.Add(1)
		}
	})
	return c, nil
}

func (c *chatter) close() {
	c.stop()
	c.from.Close()
	c.to.Close()
}

// talks waits until more arrives, or for the patience.
func (c *chatter) talks(patience time.Duration) bool {
	for begin, n := time.Now(), c.arrived.Load(); time.Since(begin) < patience; waitBriefly() {
		if c.arrived.Load() > n+20 {
			return true
		}
	}
	return false
}

// session is what an operator does with a gateway, all by wardctl: ping, cut the
// intruder off, try the same with the pump, break the glass, let the intruder go,
// and check the audit trail. It returns what went wrong.
func (r *run) session(ctx context.Context) (wrong []string) {
	o := r.operator
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	expect := func(what, out string, code, want int, reason string) {
		if code != want || !strings.Contains(out, reason) {
			fail("%s: wardctl ended with %d, want %d and %q: %s", what, code, want, reason, out)
		}
	}
	o.say("session: an operator with wardctl")
	_, out, code := o.command(ctx, "anna", "ping")
	expect("ping", out, code, cmdSucceeded, "")

	c, err := r.startChatter(ctx)
	if err != nil {
		return []string{"the intruder's chatter: " + err.Error()}
	}
	defer c.close()
	if !c.talks(2 * time.Second) {
		fail("the intruder's chatter does not arrive before it is cut off: nothing can be shown")
	}
	intruder, pump := r.cast.Member(cast.Intruder).MAC.String(), r.cast.Member(cast.Pump).MAC.String()
	for n := range r.opts.Cuts {
		if n > 0 { // let it go, to cut it off once more
			_, out, code = o.command(ctx, "dora", "release", "--device", intruder)
			expect("release of the intruder", out, code, cmdSucceeded, "")
			if !c.talks(2 * time.Second) {
				fail("the intruder is released, and does not get through")
			}
		}
		wrong = append(wrong, r.cut(ctx, c, intruder)...)
	}
	r.tellCuts()

	_, out, code = o.command(ctx, "anna", "quarantine", "--device", pump, "--time", "10m")
	expect("quarantine of the pump by one person", out, code, cmdRejected, "interlock")
	if r.probePump(ctx) {
		fail("the second PC reaches the pump before the glass is broken: nothing can be shown")
	}
	_, out, code = o.command(ctx, "dora", "break-glass", "--scope", "gateway", "--time", opened.String())
	expect("break-glass", out, code, cmdSucceeded, "")
	begin := time.Now()
	if !r.probePump(ctx) {
		fail("the glass is broken, and the second PC does not reach the pump")
	}
	if !c.talks(time.Second) {
		fail("the glass is broken, and the intruder is still cut off")
	}
	time.Sleep(opened + time.Second - time.Since(begin))
	if r.probePump(ctx) || c.talks(300*time.Millisecond) {
		fail("broken glass does not close by itself")
	} else {
		r.screen.say("the glass has closed by itself: pump and intruder are fenced again")
	}
	_, out, code = o.command(ctx, "dora", "release", "--device", intruder)
	expect("release of the intruder", out, code, cmdSucceeded, "")
	if !c.talks(2 * time.Second) {
		fail("the intruder is released, and does not get through")
	}
	return append(wrong, r.checkTrail(ctx)...)
}

// cut has the intruder quarantined, and measures for how long after its command
// packets still got through.
func (r *run) cut(ctx context.Context, c *chatter, intruder string) []string {
	id, out, code := r.operator.command(ctx, "anna", "quarantine", "--device", intruder, "--time", "10m")
	if code != cmdSucceeded {
		return []string{fmt.Sprintf("quarantine of the intruder: wardctl ended with %d: %s", code, out)}
	}
	if c.talks(time.Second) {
		return []string{"the intruder still gets through after its quarantine succeeded"}
	}
	came, ok := r.book.Commanded(id)
	if !ok {
		return []string{"the broker never saw the command " + id}
	}
	r.cuts = append(r.cuts, time.Unix(0, c.last.Load()).Sub(came))
	return nil
}

// tellCuts says how soon the intruder was cut off.
func (r *run) tellCuts() {
	if len(r.cuts) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(r.cuts))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	if len(sorted) == 1 {
		r.screen.say("the intruder's last packet arrived %.1f ms after the command", ms(sorted[0]))
		return
	}
	r.screen.say("last packet after the command, of %d times: median %.1f ms, p99 %.1f ms", len(sorted),
		ms(sorted[len(sorted)/2]), ms(sorted[(len(sorted)*99+99)/100-1]))
}

// probePump reports whether datagrams of the second PC arrive at the pump.
func (r *run) probePump(ctx context.Context) bool {
	c, err := r.ward.Host(cast.PC).ListenUDP(ctx, 0)
	if err != nil {
		r.fault("probe: " + err.Error())
		return false
	}
	defer c.Close()
	service := fmt.Sprintf("udp/%d", discard)
	before := r.stand.At(cast.Pump).Arrivals(cast.PC)[service]
	for range 4 {
		_, _ = c.WriteToUDPAddrPort([]byte("probe"), netip.AddrPortFrom(r.cast.Member(cast.Pump).Addr, discard))
		time.Sleep(100 * time.Millisecond)
	}
	return r.stand.At(cast.Pump).Arrivals(cast.PC)[service] > before
}

// checkTrail has wardctl verify the audit trail, and then one in which somebody
// has changed a word.
func (r *run) checkTrail(ctx context.Context) (wrong []string) {
	time.Sleep(500 * time.Millisecond) // an audit record is sent at once
	o := r.operator
	o.leave()
	if out, code := o.shown(ctx, "audit", "verify", "audit.jsonl"); code != 0 {
		wrong = append(wrong, fmt.Sprintf("the audit trail does not verify: exit %d: %s", code, out))
	}
	text, err := os.ReadFile(filepath.Join(o.dir, "audit.jsonl"))
	forged := bytes.Replace(text, []byte(`"break-glass"`), []byte(`"break-grass"`), 1)
	if err == nil && bytes.Equal(text, forged) {
		err = fmt.Errorf("no break-glass in it")
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(o.dir, "forged.jsonl"), forged, 0o600)
	}
	if err != nil {
		return append(wrong, "the audit trail: "+err.Error())
	}
	if out, code := o.shown(ctx, "audit", "verify", "forged.jsonl"); code == 0 {
		wrong = append(wrong, "an audit trail in which a word was changed verifies: "+out)
	}
	return wrong
}
