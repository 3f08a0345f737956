package utilise

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// air is what stands between a device and who looks at it.
type air struct {
	loss    bool // a sixth of what is sent is lost, in bursts
	roams   bool // it is out of radio again and again, mostly for seconds, at times for minutes
	nat     bool // all whom it talks with stand behind one address
	restart bool // the gateway starts anew
}

func (a air) String() (s string) {
	for name, is := range map[string]bool{", loss": a.loss, ", roaming": a.roams, ", NAT": a.nat, ", restart": a.restart} {
		if is {
			s += name
		}
	}
	if len(s) > len(", restart") {
		return ", all of it"
	}
	return s
}

// bedside is a device in a bubble of testing/synctest, behind what the observers
// do: the same fact at most once a minute. What happens when is drawn, and has
// nothing of the meter's minutes.
type bedside struct {
	t     *testing.T
	m     *Meter
	life  life
	air   air
	start time.Time

	ends   sync.WaitGroup
	mu     sync.Mutex
	rng    *rand.Rand
	use    device.Use
	bad    bool // a burst of loss
	away   bool // out of radio
	missed bool // was, in this minute
	came   int  // of what it sent in this minute
	gone   int
	stated map[string]time.Time
}

func newBedside(t *testing.T, l life, a air) *bedside {
	return &bedside{t: t, m: new(Meter), life: l, air: a, start: time.Now(), rng: rand.New(rand.NewPCG(7, 9)), use: device.OnIdle, stated: make(map[string]time.Time)}
}

// lives has the device live for so long.
func (b *bedside) lives(long time.Duration) {
	loop := func(step func(r *rand.Rand), seed uint64) {
		b.ends.Go(func() {
			for r := rand.New(rand.NewPCG(seed, seed)); time.Since(b.start) < long; {
				step(r)
			}
		})
	}
	loop(b.works, 1)
	for i, h := range b.life.habits {
		loop(func(r *rand.Rand) {
			time.Sleep(h.every*3/4 + time.Duration(r.Int64N(int64(h.every/2))))
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.use != device.Off {
				h.sends(b, b.use)
			}
		}, uint64(10+i))
	}
	if b.air.loss {
		loop(func(r *rand.Rand) {
			b.pause(r, 90*time.Second)
			b.set(func() { b.bad = true })
			b.pause(r, 18*time.Second)
			b.set(func() { b.bad = false })
		}, 2)
	}
	if b.air.roams {
		loop(func(r *rand.Rand) {
			b.pause(r, 45*time.Minute)
			b.set(func() { b.away, b.missed = true, true })
			if r.IntN(5) == 0 {
				time.Sleep(2*time.Minute + time.Duration(r.Int64N(int64(13*time.Minute))))
			} else {
				time.Sleep(3*time.Second + time.Duration(r.Int64N(int64(50*time.Second))))
			}
			b.set(func() { b.away = false })
		}, 3)
	}
}

// works is a day of the device: it is switched on, used for a while several
// times, and switched off, if it is.
func (b *bedside) works(r *rand.Rand) {
	between := func(lo, hi time.Duration) time.Duration { return lo + time.Duration(r.Int64N(int64(hi-lo))) }
	day := time.Now()
	if b.life.nights {
		b.set(func() { b.use = device.Off })
		time.Sleep(between(6*time.Hour, 7*time.Hour+30*time.Minute))
		b.set(func() { b.use = device.OnIdle })
	}
	for evening := day.Add(between(19*time.Hour, 21*time.Hour)); time.Now().Before(evening); {
		time.Sleep(between(30*time.Minute, 150*time.Minute))
		b.set(func() { b.use = device.InUse })
		time.Sleep(between(25*time.Minute, 150*time.Minute))
		b.set(func() { b.use = device.OnIdle })
	}
	if b.life.nights {
		time.Sleep(40 * time.Minute)
		b.set(func() { b.use = device.Off })
	}
	time.Sleep(time.Until(day.Add(24 * time.Hour)))
}

func (b *bedside) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// pause is drawn as such things come: most are short, some are long.
func (b *bedside) pause(r *rand.Rand, mean time.Duration) {
	time.Sleep(time.Second + time.Duration(r.ExpFloat64()*float64(mean)))
}

func (b *bedside) lost() bool {
	if b.away || b.bad && b.rng.Float64() < 0.95 {
		b.gone++
		return true
	}
	b.came++
	return false
}

func (b *bedside) says(kind fact.Kind, value string) {
	if b.lost() {
		return
	}
	b.m.Heard()
	v, ok := fact.New(kind, value)
	if !ok {
		b.t.Fatalf("no fact %s %q", kind, value)
	}
	if at, ok := b.stated[string(kind)+value]; ok && time.Since(at) < time.Minute {
		return
	}
	b.stated[string(kind)+value] = time.Now()
	b.m.Fact(kind, v.String())
}

func (b *bedside) talks(peer string, port uint16, bytes int) {
	if b.lost() {
		return
	}
	if b.air.nat {
		peer = "10.20.0.1"
	}
	b.m.Heard()
	b.m.Flow(&fact.Flow{PeerIP: netip.MustParseAddr(peer), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: port},
		Answered: true, PacketsFrom: 1, BytesFrom: uint64(float64(bytes) * (0.4 + b.rng.ExpFloat64()*0.6))})
}

// turn ends a minute of the meter. It returns what the device does, and whether
// it could be heard: it was in radio all the minute, and not all that it sent was
// lost.
func (b *bedside) turn(role device.Role) (is device.Use, heard bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m.Turn(role, clock.Stamp{Wall: time.Now(), Mono: time.Since(b.start), Quality: clock.NTP})
	heard = !b.missed && (b.came > 0 || b.gone == 0)
	b.missed, b.came, b.gone = b.away, 0, 0
	return b.use, heard
}

// restart has the meter be what is kept of it.
func (b *bedside) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept, err := b.m.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	if b.m, err = Decode(kept); err != nil {
		b.t.Fatal(err)
	}
}
