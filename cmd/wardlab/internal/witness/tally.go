package witness

import (
	"sync"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// Flow is a direction of clinical traffic; Group is what a device sends to all
// or to a multicast group, counted at To.
type Flow struct {
	From, To cast.Part
	Group    bool
}

// Arrival is unicast IP traffic that reached a host's card.
type Arrival struct {
	From    cast.Part // who sent it in truth, whatever address it bears
	Service string
}

// Tally is what one host's card saw. It is safe for concurrent use.
type Tally struct {
	cast *cast.Cast
	self cast.Member

	mu       sync.Mutex
	sent     map[Flow]uint64
	received map[Flow]uint64
	arrivals map[Arrival]uint64
	claims   uint64
	sample   string // of a claim: who claimed what
}

// NewTally counts for the host that plays self.
func NewTally(c *cast.Cast, self cast.Part) *Tally {
	return &Tally{cast: c, self: c.Member(self), sent: map[Flow]uint64{}, received: map[Flow]uint64{}, arrivals: map[Arrival]uint64{}}
}

// Add counts one frame; outgoing says that the host sent it.
func (t *Tally) Add(b []byte, outgoing bool) {
	f, ok := decode(b)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case outgoing:
		t.count(t.sent, f, true)
	case f.arp:
		t.claim(f)
	default:
		t.count(t.received, f, false)
		t.arrive(f)
	}
}

// count adds a clinical frame to its flows. Only frames that bear the true MAC
// and address of a host are clinical; others are somebody's forgery.
func (t *Tally) count(into map[Flow]uint64, f frame, outgoing bool) {
	from, known := t.cast.ByMAC(f.src)
	if !f.ip || !known || from.Addr != f.from {
		return
	}
	if !f.unicast() {
		if !outgoing {
			into[Flow{From: from.Part, To: t.self.Part, Group: true}]++
			return
		}
		// Whoever listens is due a copy: the sender's count stands for each.
		into[Flow{From: from.Part, Group: true}]++
		return
	}
	if to, ok := t.cast.ByAddr(f.to); ok {
		into[Flow{From: from.Part, To: to.Part}]++
	}
}

// arrive notes unicast IP that was not for show: addressed to this card.
func (t *Tally) arrive(f frame) {
	if !f.ip || f.dst != t.self.MAC {
		return
	}
	if from, ok := t.sender(f); ok {
		t.arrivals[Arrival{From: from, Service: f.service()}]++
	}
}

// sender is who sent a frame in truth. The lab's hosts are honest but for the
// intruder: a frame whose MAC and address do not belong together is its own,
// and so is a frame of the printer to a device with which no printer talks.
func (t *Tally) sender(f frame) (cast.Part, bool) {
	m, ok := t.cast.ByMAC(f.src)
	if !ok {
		return cast.Intruder, true // nobody else invents addresses
	}
	if owner, ok := t.cast.ByAddr(f.from); ok && owner.Part != m.Part {
		return cast.Intruder, true
	}
	if m.Part == cast.Printer && (t.self.Part == cast.Pump || t.self.Part == cast.Monitor || t.self.Part == cast.Ultrasound) {
		return cast.Intruder, true
	}
	return m.Part, true
}

// claim notes an ARP packet that says that a host behind the uplink has another
// card than its own.
func (t *Tally) claim(f frame) {
	owner, ok := t.cast.ByAddr(f.from)
	if !ok || !owner.Part.Uplink() || (f.sha == owner.MAC && f.src == owner.MAC) {
		return
	}
	t.claims++
	t.sample = f.sha.String() + " as " + f.from.String()
}

// Sent is the number of frames of the flow that the host sent.
func (t *Tally) Sent(f Flow) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.Group {
		f.To = 0
	}
	return t.sent[f]
}

// Received is the number of frames of the flow that reached the host.
func (t *Tally) Received(f Flow) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.received[f]
}

// Arrivals is a copy of what reached the host's card from one part, by service.
func (t *Tally) Arrivals(from cast.Part) map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]uint64{}
	for a, n := range t.arrivals {
		if a.From == from {
			out[a.Service] = n
		}
	}
	return out
}

// Claims is the number of forged address claims that reached the host, and one
// of them in words.
func (t *Tally) Claims() (n uint64, sample string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.claims, t.sample
}
