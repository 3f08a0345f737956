package utilise

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// keptHours is how many hours are remembered.
const keptHours = 24

// Counts of minutes, by device.Uses and device.Proofs: what decided them.
type Counts [5][4]uint8

// Hour is how a device spent the minutes of one hour in which it was looked at.
// After a restart or a set clock there may be two of the same hour: their
// minutes add up.
type Hour struct {
	Start  time.Time // UTC, on the hour
	Counts Counts
}

// Minutes names the counts: by state, by proof ("in-use": "e1": 42). Zeros are
// left out.
func (h Hour) Minutes() map[string]map[string]int {
	out := make(map[string]map[string]int)
	for u, byProof := range h.Counts {
		for p, n := range byProof {
			if n == 0 {
				continue
			}
			use := device.Uses()[u].String()
			if out[use] == nil {
				out[use] = make(map[string]int)
			}
			out[use][device.Proofs()[p].String()] = int(n)
		}
	}
	return out
}

// hour is an Hour as it is remembered.
type hour struct {
	start  uint32 // hours since 1970
	told   bool
	counts Counts
}

func (h *hour) value() Hour {
	return Hour{Start: time.Unix(int64(h.start)*3600, 0).UTC(), Counts: h.counts}
}

// hours are the last ones, the present one first.
type hours struct {
	list [keptHours]hour
	n    uint8
}

// add counts one minute.
func (h *hours) add(wall time.Time, use device.Use, by device.Proof) {
	start := uint32(max(wall.Unix(), 0) / 3600)
	if h.n == 0 || h.list[0].start != start {
		copy(h.list[1:], h.list[:])
		h.list[0] = hour{start: start}
		h.n = min(h.n+1, keptHours)
	}
	if n := &h.list[0].counts[use][by-device.ByReport]; *n < 60 {
		*n++
	}
}

// Due returns the oldest hour that is over and that Due has not returned before.
func (m *Meter) Due() (Hour, bool) {
	for i := int(m.hours.n) - 1; i > 0; i-- {
		if h := &m.hours.list[i]; !h.told {
			h.told = true
			return h.value(), true
		}
	}
	return Hour{}, false
}
