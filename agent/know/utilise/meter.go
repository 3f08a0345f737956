package utilise

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Bin is the time for which all that a device shows is one.
const Bin = time.Minute

// window is how many of the last bins are judged together, and for how long a
// report holds: a fact is stated again after a minute at the earliest, and a
// frame may be lost, so that several minutes in between may lack it.
const window = 5

// shows is in how many bins of the window messages of use must come, once, before
// it tells anything that there are none: some monitors send values every half an
// hour, in use too.
const shows = 3

const day = 24 * 60 // bins

// How long a device must be silent to be off, in bins.
const (
	offLeast = 5
	offMost  = 30 // devices on radio save power and roam
)

// Meter is the utilisation of one device. The zero value has seen nothing.
type Meter struct {
	// the bin being filled
	heard bool
	signs sign

	past   [window]sign // newest first
	quiet  int          // bins in which it was heard without a sign of use
	silent int          // bins without a frame
	left   bool         // it said goodbye, and was not heard since
	speaks bool         // it has shown E1 or E2
	showed int          // age when it last sent messages of use as steadily as shows; 0: never
	now    device.Utilisation

	age   int // bins looked at, since the last restart or before
	rates rates
	peers peers
	gaps  [learnDays]uint8 // the longest silence of each day that was no absence, by the days of rates
	hours hours
}

// Now is the present state.
func (m *Meter) Now() device.Utilisation { return m.now }

// Heard notes a frame of the device.
func (m *Meter) Heard() { m.heard = true }

// Fact notes what a fact says of the device's use, if anything.
func (m *Meter) Fact(kind fact.Kind, value string) { m.signs |= signOf(kind, value) }

// Flow notes traffic.
func (m *Meter) Flow(f *fact.Flow) {
	if n := f.BytesFrom + f.BytesTo; n > 0 && works(f) {
		m.peers.add(f.PeerIP, f.Service.Port, n)
	}
}

// Turn ends the bin. It reports whether the state is another one.
func (m *Meter) Turn(role device.Role, at clock.Stamp) (changed bool) {
	if forOthers(role) {
		m.signs &^= saysIdle | saysOff | sendsIdle
	}
	m.learn()
	copy(m.past[1:], m.past[:])
	m.past[0] = m.signs
	if m.heard {
		m.left = m.signs&saysLeave != 0
	}
	if m.signs&^(busy|saysOn|saysLeave) != 0 {
		m.speaks = true
	}
	if m.count(sendsUse) >= shows {
		m.showed = m.age
	}
	switch {
	case m.signs&(use|saysService|sendsTest) != 0:
		m.quiet = 0
	case m.heard:
		m.quiet++
	}
	is, by := m.judge(role)
	if is != m.now.Use || m.now.Since.IsZero() {
		m.now.Since = at.Wall.UTC().Truncate(Bin)
		changed = true
	}
	changed = changed || by != m.now.By
	m.now.Use, m.now.By = is, by
	if at.Quality != clock.None { // else nobody knows which hour it is
		m.hours.add(at.Wall, is, by)
	}
	m.heard, m.signs = false, 0
	return changed
}

// learn adds the bin to the baseline, and compares it with it.
func (m *Meter) learn() {
	if m.age++; m.age%day == 0 {
		m.rates.turn()
		m.peers.age()
		m.gaps[m.rates.today] = 0
	}
	bytes := m.peers.turn()
	if bytes > 0 {
		m.rates.add(bytes)
		m.heard = true
		if limit, ok := m.baseline(); ok && bytes >= limit {
			m.signs |= busy
		}
	}
	if !m.heard {
		m.silent++
		return
	}
	if gap := &m.gaps[m.rates.today]; m.silent < offMost {
		*gap = max(*gap, uint8(m.silent))
	}
	m.silent = 0
}

// baseline is rates.threshold, once more than a day has shown what is usual.
func (m *Meter) baseline() (uint64, bool) {
	if m.age < day {
		return 0, false
	}
	return m.rates.threshold()
}

// judge is the state by the last bins. What a device reports stands above what
// it sends, and that above how much; that it stands must be reported twice, for
// once may be the end of one infusion of several, while nothing is said to be on.
// Silence ends nothing before it is long, since lost and roaming devices are
// silent too.
func (m *Meter) judge(role device.Role) (device.Use, device.Proof) {
	switch {
	case m.count(saysUse|saysService) > 0 || m.count(saysIdle|saysOff) >= 2 && m.count(saysOn) == 0:
		return m.said(), device.ByReport
	case m.count(sendsUse) >= 2:
		return device.InUse, device.ByMessages
	case m.count(sendsTest) >= 2:
		return device.Service, device.ByMessages
	case m.count(busy) >= 3:
		return device.InUse, device.ByRate
	case m.now.Use == device.Off:
		if m.silent > 0 {
			return m.still()
		}
		m.quiet = 0 // it was switched on
		return device.UseUnknown, device.ByPresence
	case m.silent >= m.absent():
		return device.Off, device.ByPresence
	case m.silent > 0:
		return m.still()
	case m.now.Use != device.OnIdle && m.quiet < leaves(role):
		return m.still()
	}
	return m.idle()
}

// still is the state as it was. That a device said itself to be unused is no
// proof for long once nothing is heard of it: it may work out of radio.
func (m *Meter) still() (device.Use, device.Proof) {
	by := m.now.By
	if by == device.NoProof || m.now.Unused() && m.silent >= window {
		by = device.ByPresence
	}
	return m.now.Use, by
}

// idle is what a device is that was heard without a sign of use for long. That it
// sends heartbeats proves nothing where its messages of use were never seen, or
// seldom: they may be encrypted, or go another way, or be about to come.
func (m *Meter) idle() (device.Use, device.Proof) {
	if m.count(sendsIdle) > 0 && m.count(sendsUse) == 0 && m.showed > 0 && m.age-m.showed < learnDays*day {
		return device.OnIdle, device.ByMessages
	}
	if _, ok := m.baseline(); ok {
		return device.OnIdle, device.ByRate
	}
	if m.speaks {
		return device.OnIdle, device.ByPresence
	}
	return device.UseUnknown, device.ByPresence
}

// said is what was reported. A report of use holds over others, which may be of
// another channel of the device; of the rest the newest counts.
func (m *Meter) said() device.Use {
	if m.count(saysUse) > 0 {
		return device.InUse
	}
	for _, s := range m.past {
		switch {
		case s&saysService != 0:
			return device.Service
		case s&saysIdle != 0:
			return device.OnIdle
		case s&saysOff != 0:
			return device.Off
		}
	}
	return device.UseUnknown
}

// count is in how many of the last bins one of the signs was.
func (m *Meter) count(s sign) (c int) {
	for _, p := range m.past {
		if p&s != 0 {
			c++
		}
	}
	return c
}

// absent is for how many bins the device must be silent to be off: few once it
// said goodbye, else three times its longest silence. Nobody tells a gateway who
// is on radio, but the silences do.
func (m *Meter) absent() int {
	if m.left {
		return offLeast
	}
	if m.age < day {
		return offMost
	}
	longest := 0
	for _, g := range m.gaps {
		longest = max(longest, int(g))
	}
	return min(max(3*longest, offLeast), offMost)
}
