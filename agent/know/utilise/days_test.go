package utilise

import (
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// life is a device and what it sends in a step.
type life struct {
	role device.Role
	// truth is its state at an hour of the day.
	truth func(hour float64) device.Use
	sends func(w *ward, use device.Use)
	// away are minutes of the day in which it is out of radio.
	away func(minute int) bool
	by   device.Proof // that decides its use
}

const server = "10.20.3.5"

// always is on all day; atNight is switched off from 20 to 7.
func always(h float64) device.Use {
	if h >= 9 && h < 11 || h >= 13 && h < 16.5 {
		return device.InUse
	}
	return device.OnIdle
}

func atNight(h float64) device.Use {
	if h < 7 || h >= 20 {
		return device.Off
	}
	return always(h)
}

func lives() map[string]life {
	return map[string]life{
		// On radio: it roams, and once is out of it for a quarter of an hour.
		"pump": {role: "infusion-pump-lvp", truth: atNight, by: device.ByReport,
			away: func(m int) bool { return m%120 < 4 || m >= 9*60+30 && m < 9*60+45 },
			sends: func(w *ward, use device.Use) {
				if w.every(30) {
					w.talks(server, 3613, 300)
					if use == device.InUse {
						w.says(fact.HL7PumpState, "infusing")
					} else {
						w.says(fact.HL7PumpState, "not-infusing")
					}
				}
			}},
		"monitor": {role: "patient-monitor", truth: always, by: device.ByMessages,
			sends: func(w *ward, use device.Use) {
				w.says(fact.UnityRWHAT, "yes")
				if use == device.InUse {
					w.says(fact.UnitySends, "vitals")
				}
			}},
		// All is encrypted, and behind the address of a router: the time and the
		// names come from the same one.
		"ventilator": {role: "ventilator", truth: atNight, by: device.ByRate,
			sends: func(w *ward, use device.Use) {
				w.talks(server, 53, 40_000)
				w.talks(server, 443, 200)
				if use == device.InUse {
					w.talks(server, 443, 20_000)
				}
				if w.clock() > 18 && w.clock() < 18.3 { // an update, of somebody else
					w.talks("10.20.9.1", 8530, 5_000_000)
				}
			}},
		"ultrasound": {role: "ultrasound", truth: atNight, by: device.ByMessages,
			away: func(m int) bool { return m%60 < 7 },
			sends: func(w *ward, use device.Use) {
				if w.every(20) {
					w.talks("10.20.0.53", 53, 100)
				}
				if w.every(600) {
					w.says(fact.DICOMProposes, "1.2.840.10008.1.1")
				}
				if use == device.InUse && w.sec%120 < 4*step { // an image
					w.says(fact.DICOMStores, "1.2.840.10008.5.1.4.1.1.6.1")
				}
			}},
		"lab analyser": {role: "lab-analyser", truth: atNight, by: device.ByMessages,
			sends: func(w *ward, use device.Use) {
				w.talks(server, 1200, 60)
				if use == device.InUse && w.every(90) {
					w.says(fact.ASTMSends, "orders")
					w.says(fact.ASTMSends, "results")
				}
			}},
	}
}

// TestEightDays: seven days to learn, the eighth is judged minute by minute. A
// state may be late by the interval that the role has for it, never else wrong.
func TestEightDays(t *testing.T) {
	for name, l := range lives() {
		for _, loss := range []float64{0, 0.2} {
			for _, restart := range []bool{false, true} {
				t.Run(name, func(t *testing.T) { eightDays(t, l, loss, restart) })
			}
		}
	}
}

func eightDays(t *testing.T, l life, loss float64, restart bool) {
	w := newWard(t, l.role, loss)
	changed := map[device.Use]int{}
	was, since := device.UseUnknown, 0 // minutes in which it could be known
	wrong := 0
	for w.minute() < 8*day {
		is := l.truth(w.clock())
		minute := w.minute()
		away := l.away != nil && l.away(minute%day)
		if is != device.Off && !away {
			l.sends(w, is)
		}
		if !w.pass() {
			continue
		}
		if is != was {
			was, since = is, -1
		}
		if is == device.Off || !away {
			since++
		}
		if restart && minute == 7*day+10*60 {
			b, err := w.m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if w.m, err = Decode(b); err != nil {
				t.Fatal(err)
			}
			since = 0
		}
		if minute < 7*day {
			continue
		}
		got := w.m.Now()
		if since >= interval(l.role, is) && (got.Use != is || is == device.InUse && got.By != l.by) {
			if wrong++; wrong <= 5 {
				t.Errorf("%02d:%02d: %s by %s, is %s since %d minutes", minute/60%24, minute%60, got.Use, got.By, is, since)
			}
		}
		changed[got.Use]++
	}
	t.Logf("loss %.0f%%, restart %v, minutes of the day: %v, T_off %d min", 100*loss, restart, changed, w.m.absent())
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
