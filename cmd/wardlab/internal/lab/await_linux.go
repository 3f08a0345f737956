package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/witness"
)

// waitBriefly is the pace of polls.
func waitBriefly() { time.Sleep(50 * time.Millisecond) }

// withoutAgent is how long the ward works undisturbed when nobody watches.
const withoutAgent = 4 * time.Second

// await waits until every role is confirmed and enforcement is in place, and
// says why not if the time for the intruder has come first.
func (r *run) await(ctx context.Context) string {
	ctx, cancel := context.WithDeadline(ctx, r.end.Add(-r.opts.after()))
	defer cancel()
	if r.agent == nil {
		select {
		case <-ctx.Done():
		case <-time.After(withoutAgent):
		}
		return ""
	}
	// First the roles, as the broker tells them.
	shown := map[cast.Part]verdict.Role{}
	for {
		changed := r.book.Changed()
		roles := r.roles()
		r.showRoles(shown, roles)
		if unconfirmed := r.unconfirmed(roles); len(unconfirmed) == 0 {
			break
		} else if ctx.Err() != nil {
			return "no confirmed role yet of " + strings.Join(unconfirmed, ", ")
		}
		if end := r.agent.ended(); end != "" {
			return "the agent ended: " + end
		}
		select {
		case <-changed:
		case <-time.After(200 * time.Millisecond): // the agent may have ended
		case <-ctx.Done():
		}
	}
	r.screen.say("every medical device and the printer as sure as it can be")
	open := r.probe(ctx)
	if len(open) > 0 {
		return "packets of the second PC still reached " + strings.Join(open, ", ")
	}
	r.screen.say("enforcement is in place: packets of the second PC stay out")
	return ""
}

// roles is what the agent has last said of each host.
func (r *run) roles() map[cast.Part]verdict.Role {
	out := map[cast.Part]verdict.Role{}
	for _, d := range r.book.Devices() {
		if m, ok := r.byMAC(d.MAC); ok {
			out[m.Part] = verdict.Role{Role: d.Identity.Role, Confidence: d.Identity.Confidence}
		}
	}
	return out
}

// byMAC finds the host of an address in text.
func (r *run) byMAC(text string) (cast.Member, bool) {
	for _, p := range r.cast.Parts() {
		if m := r.cast.Member(p); m.MAC.String() == text {
			return m, true
		}
	}
	return cast.Member{}, false
}

// showRoles prints what changed.
func (r *run) showRoles(shown, now map[cast.Part]verdict.Role) {
	for _, p := range r.cast.Parts() {
		role, ok := now[p]
		if ok && shown[p] != role && !p.Uplink() {
			shown[p] = role
			r.screen.say("%-11v %v  %-21s %s", p, r.cast.Member(p).MAC, role.Role, role.Confidence)
		}
	}
}

// unconfirmed lists the hosts whose role is not yet right and as sure as it
// can be.
func (r *run) unconfirmed(roles map[cast.Part]verdict.Role) []string {
	var out []string
	for _, p := range r.cast.Parts() {
		if p.Role() != "" && !roles[p].Is(p) {
			out = append(out, p.String())
		}
	}
	return out
}

// discard is a port on which nobody listens and which no policy names (RFC 863).
const discard = 9

// probe has the second PC send harmless datagrams to each device until two
// rounds of them have stayed out everywhere, and returns where they still
// arrive when ctx ends. It asks the wire, not the agent.
func (r *run) probe(ctx context.Context) []string {
	targets := r.enforced()
	service := fmt.Sprintf("udp/%d", discard)
	c, err := r.ward.Host(cast.PC).ListenUDP(ctx, 0)
	if err != nil {
		r.fault("probe: " + err.Error())
		return []string{"?"}
	}
	defer c.Close()
	closed := 0 // rounds in a row in which nothing arrived
	for {
		var open []string
		before := map[cast.Part][2]uint64{}
		for _, p := range targets {
			before[p] = [2]uint64{r.stand.At(cast.PC).Sent(witness.Flow{From: cast.PC, To: p}), r.stand.At(p).Arrivals(cast.PC)[service]}
			if _, err := c.WriteToUDPAddrPort([]byte("probe"), netip.AddrPortFrom(r.cast.Member(p).Addr, discard)); err != nil {
				open = append(open, p.String())
			}
		}
		time.Sleep(150 * time.Millisecond) // a veth needs microseconds
		for _, p := range targets {
			sent, arrived := r.stand.At(cast.PC).Sent(witness.Flow{From: cast.PC, To: p}), r.stand.At(p).Arrivals(cast.PC)[service]
			// A datagram that waits for ARP has not been sent and proves nothing.
			if sent == before[p][0] || arrived > before[p][1] {
				open = append(open, p.String())
			}
		}
		if closed++; len(open) > 0 {
			closed = 0
		}
		if closed == 2 || ctx.Err() != nil {
			return open
		}
	}
}
