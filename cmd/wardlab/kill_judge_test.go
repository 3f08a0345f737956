package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
)

// outboxView is the outbox as seen from its far end.
type outboxView struct {
	epochs        []string
	evicted       map[string]uint64
	lost          []recordID // acknowledged by the broker, never at the subscriber
	holes         []recordID // committed, never at the subscriber
	acked, twice  int
	sentTwice     int
	received      map[string]int    // distinct, by class
	committed     map[string]uint64 // of the last epoch
	replacedState int               // numbers of the state class that nobody saw: replaced before they were sent
}

// outbox sums the ledger up. Numbers of a class are contiguous; of state, the
// last value by key, only the highest number and what was acknowledged must
// have come.
func (l *killLedger) outbox() outboxView {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := outboxView{epochs: slices.Clone(l.epochs), evicted: maps.Clone(l.evicted), received: map[string]int{}, committed: map[string]uint64{}, acked: len(l.acked)}
	last := map[string]map[string]uint64{} // by epoch and class
	for _, epoch := range l.epochs {
		last[epoch] = maps.Clone(l.committed[epoch])
		if last[epoch] == nil {
			last[epoch] = map[string]uint64{}
		}
	}
	for id, n := range l.received {
		v.twice += n - 1
		v.received[id.class]++
		last[id.epoch][id.class] = max(last[id.epoch][id.class], id.seq)
	}
	for _, n := range l.sent {
		v.sentTwice += n - 1
	}
	for id := range l.acked {
		if l.received[id] == 0 {
			v.lost = append(v.lost, id)
		}
	}
	for _, epoch := range l.epochs {
		v.committed = last[epoch]
		for class, seq := range last[epoch] {
			for n := uint64(1); n <= seq; n++ {
				id := recordID{epoch, class, n}
				switch {
				case l.received[id] > 0:
				case class == "state" && n < seq:
					v.replacedState++
				default:
					v.holes = append(v.holes, id)
				}
			}
		}
	}
	order := func(a, b recordID) int {
		return strings.Compare(fmt.Sprintf("%s%09d", a.class, a.seq), fmt.Sprintf("%s%09d", b.class, b.seq))
	}
	slices.SortFunc(v.lost, order)
	slices.SortFunc(v.holes, order)
	return v
}

// life is one run of the agent, from its start to its kill.
type life struct {
	n          int
	begin, end time.Time
	brief      bool // killed without waiting for its inventory
}

// deathWatch is what happened while no agent ran.
type deathWatch struct {
	after           int // kill
	tried, arrived  uint64
	beats, unheard  int    // of the pump's datagrams to its server
	refused         uint64 // by the kernel's counters
	table           bool
	tableReadFailed string
}

// killEvidence is what the judgement rests on.
type killEvidence struct {
	outbox  outboxView
	known   map[cast.Part]sighting // before the first kill
	lives   []life                 // after kills
	seen    []sighting             // since the first kill
	dead    []deathWatch
	flown   int    // messages under way when the agent was killed, over all kills
	arrived uint64 // of the intruder at devices, all the while
	tried   uint64
	pairs   []verdict.Pair
	silent  []string // exchanges of the ward's own work that were not answered
	faults  []string // of the lab
}

// backWithin is how long an inventory may take to be told after a start.
const backWithin = 10 * time.Second

// judgeKills gives the reasons why the agent has not stood the kills.
func judgeKills(e killEvidence) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	o := e.outbox
	if n := len(o.epochs); n != 1 {
		say("%d epochs of the outbox, want one: the database did not survive", n)
	}
	if n := len(o.lost); n > 0 {
		say("%d events acknowledged by the broker never reached the subscriber: first %v", n, o.lost[0])
	}
	if n := len(o.holes); n > 0 {
		say("%d committed events never reached the subscriber: first %v", n, o.holes[0])
	}
	if o.acked == 0 {
		say("nothing was acknowledged: nothing is shown")
	}
	if e.flown == 0 {
		say("no message was under way at any kill: nothing is shown")
	}
	for _, class := range slices.Sorted(maps.Keys(o.evicted)) {
		say("%d events of class %s were evicted", o.evicted[class], class)
	}
	judgeInventory(e, say)
	for _, d := range e.dead {
		judgeDead(d, say)
	}
	if e.arrived > 0 {
		say("%d packets of the intruder reached a device", e.arrived)
	}
	if e.tried == 0 {
		say("the intruder tried nothing: nothing is shown")
	}
	for _, p := range e.pairs {
		if p.Sent != p.Received || p.Sent == 0 {
			say("%v -> %v: %d packets sent, %d received", p.From, p.To, p.Sent, p.Received)
		}
	}
	for _, s := range e.silent {
		say("not answered: %s", s)
	}
	for _, f := range e.faults {
		say("the lab is at fault: %s", f)
	}
	return out
}

// judgeInventory looks at what the lives after kills said of the devices.
func judgeInventory(e killEvidence, say func(string, ...any)) {
	told := map[string]bool{} // each reason once
	once := func(format string, args ...any) {
		if s := fmt.Sprintf(format, args...); !told[s] {
			told[s] = true
			say("%s", s)
		}
	}
	for _, p := range killDevices() {
		if e.known[p].confidence != verdict.Confirmed {
			once("%v was not confirmed before the first kill", p)
		}
	}
	for _, s := range e.seen {
		was := e.known[s.part]
		switch {
		case s.fresh:
			once("%v is taken for a new device", s.part)
			continue
		case !s.first.Equal(was.first):
			once("%v was first seen at %s, and is said to be at %s", s.part, was.first.Format(time.TimeOnly), s.first.Format(time.TimeOnly))
		}
		if s.role != was.role || s.confidence != was.confidence {
			once("%v was %s %s, and is %s %s", s.part, was.role, was.confidence, s.role, s.confidence)
		}
	}
	for _, l := range e.lives {
		if l.brief {
			continue
		}
		for _, p := range killDevices() {
			if took, ok := l.back(e.seen, p); !ok || took > backWithin {
				once("%v was not back within %v of start %d", p, backWithin, l.n)
			}
		}
	}
}

// back is how long after its start a life first told of a device.
func (l life) back(seen []sighting, p cast.Part) (time.Duration, bool) {
	took, ok := time.Duration(0), false
	begin := l.begin.Truncate(time.Millisecond)
	for _, s := range seen {
		if s.part != p || s.fresh || s.at.Before(begin) || s.at.After(l.end) {
			continue
		}
		if d := s.at.Sub(begin); !ok || d < took {
			took, ok = d, true
		}
	}
	return took, ok
}

// judgeDead looks at the time without an agent: rules that hold, hold then.
func judgeDead(d deathWatch, say func(string, ...any)) {
	if d.tableReadFailed != "" {
		say("after kill %d: %s", d.after, d.tableReadFailed)
	} else if !d.table {
		say("after kill %d the kernel had no rules", d.after)
	}
	switch {
	case d.tried == 0 || d.beats == 0:
		say("after kill %d nothing was tried: nothing is shown", d.after)
	case d.arrived > 0:
		say("after kill %d %d packets of the intruder reached a device", d.after, d.arrived)
	case d.refused == 0:
		say("after kill %d the kernel counted no packet as refused", d.after)
	}
	if d.unheard > 0 {
		say("after kill %d %d of %d datagrams of the pump did not reach its server", d.after, d.unheard, d.beats)
	}
}

// soundKills is evidence of an agent that stood the kills.
func soundKills() killEvidence {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	e := killEvidence{known: map[cast.Part]sighting{}, flown: 3, tried: 100,
		outbox: outboxView{epochs: []string{"e1"}, acked: 5},
		lives:  []life{{n: 1, begin: at, end: at.Add(4 * time.Second)}, {n: 2, begin: at.Add(5 * time.Second), end: at.Add(6 * time.Second), brief: true}},
		dead:   []deathWatch{{after: 1, tried: 10, beats: 10, refused: 9, table: true}},
		pairs:  []verdict.Pair{{From: cast.Pump, To: cast.PumpServer, Sent: 9, Received: 9}}}
	for _, p := range killDevices() {
		s := sighting{part: p, at: at.Add(-time.Minute), first: at.Add(-time.Hour), role: p.Role(), confidence: verdict.Confirmed}
		e.known[p] = s
		s.at = at.Add(2 * time.Second)
		e.seen = append(e.seen, s)
	}
	return e
}

// Each loss gives its reason, and nothing else does.
func TestKillJudge(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*killEvidence)
		want  []string
	}{
		{"sound", func(*killEvidence) {}, nil},
		{"two epochs", func(e *killEvidence) { e.outbox.epochs = []string{"e1", "e2"} }, []string{"2 epochs of the outbox, want one: the database did not survive"}},
		{"acknowledged and lost", func(e *killEvidence) { e.outbox.lost = []recordID{{"e1", "alert", 7}} },
			[]string{"1 events acknowledged by the broker never reached the subscriber: first alert 7"}},
		{"a hole", func(e *killEvidence) { e.outbox.holes = []recordID{{"e1", "event", 3}, {"e1", "event", 4}} },
			[]string{"2 committed events never reached the subscriber: first event 3"}},
		{"nothing acknowledged", func(e *killEvidence) { e.outbox.acked = 0 }, []string{"nothing was acknowledged: nothing is shown"}},
		{"between messages", func(e *killEvidence) { e.flown = 0 }, []string{"no message was under way at any kill: nothing is shown"}},
		{"evicted", func(e *killEvidence) { e.outbox.evicted = map[string]uint64{"telemetry": 2} }, []string{"2 events of class telemetry were evicted"}},
		{"new", func(e *killEvidence) { e.seen = append(e.seen, sighting{part: cast.Pump, fresh: true}) }, []string{"pump is taken for a new device"}},
		{"another first seen", func(e *killEvidence) { e.seen[1].first = e.seen[1].at }, []string{"monitor was first seen at 11:00:00, and is said to be at 12:00:02"}},
		{"role forgotten", func(e *killEvidence) { e.seen[0].confidence = "likely" },
			[]string{"pump was infusion-pump-lvp confirmed, and is infusion-pump-lvp likely"}},
		{"not back", func(e *killEvidence) { e.seen = e.seen[:3] }, []string{"printer was not back within 10s of start 1"}},
		{"told too late", func(e *killEvidence) { e.seen[3].at = e.lives[0].end.Add(time.Second) }, []string{"printer was not back within 10s of start 1"}},
		{"never confirmed", func(e *killEvidence) {
			s := e.known[cast.Printer]
			s.confidence = "likely"
			e.known[cast.Printer], e.seen[3].confidence = s, "likely"
		}, []string{"printer was not confirmed before the first kill"}},
		{"leak while dead", func(e *killEvidence) { e.dead[0].arrived = 3 }, []string{"after kill 1 3 packets of the intruder reached a device"}},
		{"no rules while dead", func(e *killEvidence) { e.dead[0].table = false }, []string{"after kill 1 the kernel had no rules"}},
		{"rules unread", func(e *killEvidence) { e.dead[0].tableReadFailed = "netlink: no" }, []string{"after kill 1: netlink: no"}},
		{"nothing refused", func(e *killEvidence) { e.dead[0].refused = 0 }, []string{"after kill 1 the kernel counted no packet as refused"}},
		{"nothing tried while dead", func(e *killEvidence) { e.dead[0].tried = 0 }, []string{"after kill 1 nothing was tried: nothing is shown"}},
		{"clinical cut while dead", func(e *killEvidence) { e.dead[0].unheard = 2 }, []string{"after kill 1 2 of 10 datagrams of the pump did not reach its server"}},
		{"leak", func(e *killEvidence) { e.arrived = 2 }, []string{"2 packets of the intruder reached a device"}},
		{"nothing tried", func(e *killEvidence) { e.tried = 0 }, []string{"the intruder tried nothing: nothing is shown"}},
		{"clinical lost", func(e *killEvidence) { e.pairs[0].Received-- }, []string{"pump -> pump-server: 9 packets sent, 8 received"}},
		{"clinical never sent", func(e *killEvidence) { e.pairs[0].Sent, e.pairs[0].Received = 0, 0 }, []string{"pump -> pump-server: 0 packets sent, 0 received"}},
		{"unanswered", func(e *killEvidence) { e.silent = []string{"pump -> pump-server tcp/443"} }, []string{"not answered: pump -> pump-server tcp/443"}},
		{"lab", func(e *killEvidence) { e.faults = []string{"x"} }, []string{"the lab is at fault: x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := soundKills()
			tt.spoil(&e)
			if diff := cmp.Diff(tt.want, judgeKills(e)); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// The ledger sees holes, losses and repeats, and knows what the state class may
// leave out.
func TestKillLedger(t *testing.T) {
	l := newKillLedger(cast.New(cast.DefaultSeed))
	line := func(class string, seq int) []byte {
		return fmt.Appendf(nil, `{"v":1,"epoch":"e1","class":%q,"seq":%d,"kind":"k","time":"2026-11-24T12:00:00.005Z","body":{}}`+"\n", class, seq)
	}
	for _, m := range []struct {
		class string
		seq   int
		got   int // times
	}{{"alert", 1, 1}, {"alert", 2, 0}, {"alert", 3, 2}, {"state", 4, 1}, {"state", 6, 0}, {"event", 1, 1}} {
		l.publish("wardkeeper/v1/s/g/up/x", line(m.class, m.seq))
		l.acknowledge("wardkeeper/v1/s/g/up/x", line(m.class, m.seq))
		for range m.got {
			l.receive("wardkeeper/v1/s/g/up/x", line(m.class, m.seq))
		}
	}
	l.publish("wardkeeper/v1/s/g/up/x", line("alert", 3))
	l.receive("wardkeeper/v1/s/g/state", []byte(`{"online":false}`))
	l.receive("wardkeeper/v1/s/g/state", []byte(`{"online":true,"epoch":"e1","seq":{"alert":4,"state":6},"evicted":{"telemetry":1}}`))
	want := outboxView{epochs: []string{"e1"}, evicted: map[string]uint64{"telemetry": 1}, acked: 6, twice: 1, sentTwice: 1,
		lost:          []recordID{{"e1", "alert", 2}, {"e1", "state", 6}},
		holes:         []recordID{{"e1", "alert", 2}, {"e1", "alert", 4}, {"e1", "state", 6}},
		received:      map[string]int{"alert": 2, "state": 1, "event": 1},
		committed:     map[string]uint64{"alert": 4, "state": 6, "event": 1},
		replacedState: 4}
	if diff := cmp.Diff(want, l.outbox(), cmp.AllowUnexported(outboxView{}, recordID{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l.wills != 1 || !l.online {
		t.Errorf("%d wills, online %v; want 1, true", l.wills, l.online)
	}
	l.receive("wardkeeper/v1/s/g/up/x", []byte("{"))
	if len(l.faults) != 1 {
		t.Errorf("faults %q, want one", l.faults)
	}
}
