package utilise

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// life is a device: when it works, and what it sends, in the cadences of
// protocols.md and of standards, which the meter does not know.
type life struct {
	role   device.Role
	nights bool // it is switched off at night
	habits []habit
	by     device.Proof // that decides its use
}

// habit is what it sends again and again, every so often, while it is on.
type habit struct {
	every time.Duration
	sends func(b *bedside, use device.Use)
}

const server, updates = "10.20.3.5", "10.20.9.1"

func lives() map[string]life {
	inUse := func(send func(b *bedside)) func(*bedside, device.Use) {
		return func(b *bedside, use device.Use) {
			if use == device.InUse {
				send(b)
			}
		}
	}
	return map[string]life{
		// IHE PCD-01 every half minute.
		"pump": {"infusion-pump-lvp", true, []habit{
			{30 * time.Second, func(b *bedside, use device.Use) {
				b.talks(server, 3613, 700)
				if use == device.InUse {
					b.says(fact.HL7PumpState, "infusing")
				} else {
					b.says(fact.HL7PumpState, "not-infusing")
				}
			}}}, device.ByReport},
		// GE Unity: it tells of itself, and sends vital signs while somebody is at it.
		"monitor": {"patient-monitor", false, []habit{
			{10 * time.Second, func(b *bedside, _ device.Use) { b.says(fact.UnityRWHAT, "yes") }},
			{2 * time.Second, inUse(func(b *bedside) { b.says(fact.UnitySends, "vitals") })}}, device.ByMessages},
		// All is encrypted; once a night it takes an update.
		"ventilator": {"ventilator", true, []habit{
			{15 * time.Second, func(b *bedside, _ device.Use) { b.talks(server, 443, 150) }},
			{time.Minute, func(b *bedside, _ device.Use) { b.talks("10.20.0.53", 53, 20_000) }},
			{5 * time.Second, inUse(func(b *bedside) { b.talks(server, 443, 9_000) })},
			{20 * time.Second, func(b *bedside, _ device.Use) {
				if h := time.Now().Hour(); h == 18 && time.Now().Minute() < 20 {
					b.talks(updates, 8530, 2_000_000)
				}
			}}}, device.ByRate},
		// Verification every ten minutes; in an examination a step (MPPS), and images.
		"ultrasound": {"ultrasound", true, []habit{
			{20 * time.Second, func(b *bedside, _ device.Use) { b.talks("10.20.0.53", 53, 100) }},
			{10 * time.Minute, func(b *bedside, _ device.Use) { b.says(fact.DICOMProposes, "1.2.840.10008.1.1") }},
			{15 * time.Minute, inUse(func(b *bedside) { b.says(fact.DICOMPerforms, "yes") })},
			{40 * time.Second, inUse(func(b *bedside) { b.says(fact.DICOMStores, "1.2.840.10008.5.1.4.1.1.6.1") })}}, device.ByMessages},
		// ASTM sessions, and the line's keep-alives.
		"lab analyser": {"lab-analyser", true, []habit{
			{30 * time.Second, func(b *bedside, _ device.Use) { b.talks(server, 1200, 60) }},
			{50 * time.Second, inUse(func(b *bedside) {
				b.says(fact.ASTMSends, "orders")
				b.says(fact.ASTMSends, "results")
			})}}, device.ByMessages},
	}
}

// TestEightDays: seven days to learn, the eighth is judged minute by minute. A
// state may be late by the interval that the role has for it, never else wrong;
// minutes in which nothing can be heard of the device do not count.
func TestEightDays(t *testing.T) {
	for name, l := range lives() {
		for _, a := range []air{{}, {loss: true}, {roams: true}, {nat: true}, {restart: true}, {loss: true, roams: true, nat: true, restart: true}} {
			t.Run(name+a.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { eightDays(t, l, a) })
			})
		}
	}
}

func eightDays(t *testing.T, l life, a air) {
	b := newBedside(t, l, a)
	b.lives(8 * 24 * time.Hour)
	judged := map[device.Use]int{}
	was, since, wrong := device.UseUnknown, 0, 0 // since: minutes in which it could be known
	for minute := range 8 * day {
		time.Sleep(Bin)
		is, heard := b.turn(l.role)
		if is != was {
			was, since = is, -1
		}
		if is == device.Off || heard {
			since++
		}
		if a.restart && minute == 7*day+10*60 {
			b.restart()
			since = 0
		}
		if minute < 7*day || since < interval(l.role, is) {
			continue
		}
		judged[is]++
		got := b.m.Now()
		if got.Use != is || is == device.InUse && got.By != l.by {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: %s by %s, is %s since %d minutes", time.Now().Format("15:04"), got.Use, got.By, is, since)
			}
		}
	}
	b.ends.Wait()
	if judged[device.InUse] < 60 || judged[device.OnIdle] < 60 || l.nights && judged[device.Off] < 60 {
		t.Errorf("too little was judged: %v", judged)
	}
	t.Logf("minutes judged: %v, wrong %d, T_off %d min", judged, wrong, b.m.absent())
}

// interval is how late a state may be, in minutes.
func interval(role device.Role, is device.Use) int {
	switch is {
	case device.InUse:
		return window
	case device.Off:
		return offMost + 1
	}
	return max(leaves(role), window) + 1
}
