package uplink

import "strings"

// maxInbound is the longest message that is handed over: a signed statement of
// 256 KiB is the longest there is, and what stands around it.
const maxInbound = 300 << 10

// Inbound is a message for this gateway, as the broker sent it: nobody has
// looked at it yet.
type Inbound struct {
	Topic    string // "cmd/<id>" or "desired/<kind>"
	Retained bool   // the broker had kept it
	Payload  []byte
}

// take sorts what arrives. It runs on the connection's own goroutine: it hands
// over, or counts, and returns.
func (u *Uplink) take(m Message) {
	rest, ok := down(u.filters, m.Topic)
	if ok && len(m.Payload) == 0 {
		return // somebody has cleared a retained message
	}
	if ok = ok && len(m.Payload) <= maxInbound; !ok {
		u.mu.Lock()
		u.status.Unheard++
		u.mu.Unlock()
		return
	}
	ok = u.opt.Inbound(Inbound{Topic: rest, Retained: m.Retained, Payload: m.Payload})
	u.mu.Lock()
	defer u.mu.Unlock()
	if ok {
		u.status.Received++
		return
	}
	u.status.Busy++
	u.missed = u.missed || strings.HasPrefix(rest, "desired/") // the broker has it still: it is asked for again
}

// Again asks the broker, soon, for what it retains of the desired state. It does
// not block and is safe for concurrent use.
func (u *Uplink) Again() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.missed = true
}

// takeMissed reports, once, whether desired state is to come again: it was
// refused for want of room, or somebody asked.
func (u *Uplink) takeMissed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	was := u.missed
	u.missed = false
	return was
}
