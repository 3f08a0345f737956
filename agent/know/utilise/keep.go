package utilise

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// keptVersion grows with every change of shape that an older reader would
// misread.
const keptVersion = 1

// kept is a Meter on disk: what it has learned and counted. The state is not
// there, since nobody looked while the gateway was down.
type kept struct {
	V      int        `json:"v"`
	Age    int        `json:"age"`    // minutes looked at
	Today  uint8      `json:"today"`  // of Days
	Speaks bool       `json:"speaks"` // has shown E1 or E2
	Showed int        `json:"showed,omitempty"`
	Days   []keptDay  `json:"days"`
	Peers  []keptPeer `json:"peers"`
	Hours  []keptHour `json:"hours"` // the present one first
}

type keptDay struct {
	Levels map[int]uint16 `json:"levels,omitempty"` // minutes by level of bytes
	Gap    uint8          `json:"gap,omitempty"`    // minutes
}

type keptPeer struct {
	Addr    netip.Addr `json:"addr"`
	Port    uint16     `json:"port,omitempty"`
	Minutes uint16     `json:"minutes"`
}

type keptHour struct {
	Start   time.Time                 `json:"start"`
	Told    bool                      `json:"told,omitempty"`
	Minutes map[string]map[string]int `json:"minutes"`
}

// Encode writes the meter for Decode.
func (m *Meter) Encode() ([]byte, error) {
	k := kept{V: keptVersion, Age: m.age, Today: m.rates.today, Speaks: m.speaks, Showed: m.showed, Days: make([]keptDay, learnDays)}
	for d := range m.rates.days {
		day := &k.Days[d]
		day.Gap = m.gaps[d]
		for l, n := range m.rates.days[d] {
			if n > 0 {
				if day.Levels == nil {
					day.Levels = make(map[int]uint16)
				}
				day.Levels[l] = n
			}
		}
	}
	for _, p := range m.peers.list {
		if p.addr.IsValid() {
			k.Peers = append(k.Peers, keptPeer{p.addr, p.port, p.minutes})
		}
	}
	for i := range m.hours.list[:m.hours.n] {
		h := &m.hours.list[i]
		k.Hours = append(k.Hours, keptHour{h.value().Start, h.told, h.value().Minutes()})
	}
	b, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encode utilisation: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*Meter, error) {
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, fmt.Errorf("decode utilisation: %w", err)
	}
	if k.V != keptVersion || k.Age < 0 || k.Showed < 0 || k.Showed > k.Age || k.Today >= learnDays || len(k.Days) != learnDays || len(k.Peers) > maxPeers || len(k.Hours) > keptHours {
		return nil, fmt.Errorf("decode utilisation: version %d, want %d, within its bounds", k.V, keptVersion)
	}
	m := &Meter{age: k.Age, speaks: k.Speaks, showed: k.Showed, rates: rates{today: k.Today}}
	for d, day := range k.Days {
		m.gaps[d] = min(day.Gap, offMost)
		for l, n := range day.Levels {
			if l < 0 || l >= levels {
				return nil, fmt.Errorf("decode utilisation: level %d of %d", l, levels)
			}
			m.rates.days[d][l] = n
		}
	}
	for i, p := range k.Peers {
		m.peers.list[i] = peer{addr: p.Addr, port: p.Port, minutes: p.Minutes}
	}
	m.hours.n = uint8(len(k.Hours))
	for i, h := range k.Hours {
		m.hours.list[i] = hour{uint32(max(h.Start.Unix(), 0) / 3600), h.Told, counts(h.Minutes)}
	}
	return m, nil
}

// counts reads what Hour.Minutes names; what it does not name is left out.
func counts(minutes map[string]map[string]int) (c Counts) {
	for u, use := range device.Uses() {
		for p, proof := range device.Proofs() {
			c[u][p] = uint8(min(max(minutes[use.String()][proof.String()], 0), 60))
		}
	}
	return c
}
