package uplink

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

const down1 = "wardkeeper/v1/st-mary/gw1/down/"

// ear is who takes what arrives.
type ear struct {
	mu   sync.Mutex
	got  []string
	full bool
}

func (e *ear) take(in Inbound) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.full {
		return false
	}
	text := string(in.Payload)
	if len(text) > 40 {
		text = fmt.Sprintf("%d bytes", len(text))
	}
	if in.Retained {
		text += " retained"
	}
	e.got = append(e.got, in.Topic+" "+text)
	return true
}

func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.got)
}

func (e *ear) set(full bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.full = full
}

// hear makes an uplink subscribe for itself, two groups and all.
func (e *ear) hear(u *Uplink) {
	u.opt.Inbound = e.take
	u.filters = filters("st-mary", "gw1", []string{"icu", "lab"})
}

func incoming(topic string, qos byte, retain bool, payload string) []byte {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.Retain, p.MessageID, p.Payload = topic, qos, retain, 7, []byte(payload)
	var b bytes.Buffer
	p.Write(&b)
	return b.Bytes()
}

// The gateway asks for its own topics, its groups' and everyone's, after it has
// said that it is there; what comes is handed over in order, at each connect
// again; and the pings go on.
func TestHears(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b, e := &broker{}, &ear{}
		for i := range 50 {
			b.reply = append(b.reply, incoming(down1+fmt.Sprintf("cmd/c%d", i), 1, false, "x")...)
		}
		b.reply = append(b.reply, incoming("wardkeeper/v1/st-mary/grp/icu/down/desired/policy", 1, true, "p")...)
		d := scripted(b)
		r := start(t, s, d, e.hear)
		synctest.Wait()
		var want []string
		for range 4 { // it answers each filter so
			for i := range 50 {
				want = append(want, fmt.Sprintf("cmd/c%d x", i))
			}
			want = append(want, "desired/policy p retained")
		}
		if diff := cmp.Diff(want, e.all()); diff != "" {
			t.Errorf("handed over (-want +got):\n%s", diff)
		}
		b.mu.Lock()
		asked := slices.Clone(b.filters)
		b.mu.Unlock()
		if diff := cmp.Diff([]string{down1 + "#", "wardkeeper/v1/st-mary/grp/icu/down/#", "wardkeeper/v1/st-mary/grp/lab/down/#", "wardkeeper/v1/st-mary/all/down/#"}, asked); diff != "" {
			t.Errorf("filters (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Minute)
		if st := r.up.Status(); !st.Connected || st.Sessions != 1 || st.Received != uint64(len(want)) || st.Busy+st.Unheard > 0 {
			t.Errorf("%+v", st)
		}
		b.set(func(b *broker) { b.noPong, b.reply = true, incoming(down1+"desired/root", 1, true, "again") })
		time.Sleep(time.Minute) // it takes another session
		b.set(func(b *broker) { b.noPong = false })
		time.Sleep(10 * time.Minute)
		if got := e.all(); got[len(got)-1] != "desired/root again retained" || r.up.Status().Sessions < 2 {
			t.Errorf("after another connect: %q", got[len(got)-1])
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// A hostile broker changes nothing: what it may not send is not handed over, and
// costs no memory; events go to the next broker that behaves.
func TestHostileBroker(t *testing.T) {
	one := incoming(down1+"cmd/c1", 1, false, "x")
	tests := []struct {
		name    string
		reply   []byte
		want    []string // handed over, at least once; nothing else
		unheard uint64   // at least
		err     string   // ends the session
	}{
		{"twice the same", slices.Concat(one, one), []string{"cmd/c1 x"}, 0, ""},
		{"a flood", bytes.Repeat(one, 5000), []string{"cmd/c1 x"}, 0, ""},
		{"a flood of long ones", bytes.Repeat(incoming(down1+"cmd/c1", 1, false, strings.Repeat("x", maxInbound)), 40), []string{"cmd/c1 307200 bytes"}, 0, ""},
		{"a flood of ones too long", bytes.Repeat(incoming(down1+"cmd/c1", 1, false, strings.Repeat("x", maxInbound+1)), 40), nil, 40, ""},
		{"QoS 0", incoming(down1+"cmd/c1", 0, false, "x"), []string{"cmd/c1 x"}, 0, ""},
		{"QoS 2", incoming(down1+"cmd/c1", 2, false, "x"), nil, 0, "broker sent a packet of a kind that it may not: 0x34"},
		{"QoS 3", incoming(down1+"cmd/c1", 3, false, "x"), nil, 0, "broker sent a packet of a kind that it may not: 0x36"},
		{"a topic of 1 GB", append([]byte{0x32, 0x80, 0x80, 0x80, 0x80, 4, 0xff, 0xff}, "wardkeeper"...), nil, 0, "broker sent a packet length of more than four bytes"},
		{"256 MiB", []byte{0x32, 0xff, 0xff, 0xff, 0x7f}, nil, 0, "broker announced a packet that is too long: 2097151 bytes or more, at most 1048576"},
		{"a topic of 64 KiB", incoming(down1+"cmd/"+strings.Repeat("a", 65000), 1, false, "x"), nil, 1, ""},
		{"a topic longer than its packet", []byte{0x32, 4, 0xff, 0xff, 'a', 'b'}, nil, 0, "connection lost: "},
		{"an answer that nobody asked for", []byte{0x90, 6, 0, 1, 0, 0, 0, 0}, nil, 0, "broker answered one subscription with 6 bytes"},
		{"the end of QoS 2", []byte{0x62, 2, 0, 7}, nil, 0, "broker sent a packet of a kind that it may not: 0x62"},
		{"another's topic", incoming("wardkeeper/v1/st-mary/gw2/down/cmd/c1", 1, false, "x"), nil, 1, ""},
		{"another site's", incoming("wardkeeper/v1/st-john/gw1/down/cmd/c1", 1, false, "x"), nil, 1, ""},
		{"another group's", incoming("wardkeeper/v1/st-mary/grp/er/down/cmd/c1", 1, false, "x"), nil, 1, ""},
		{"one's own events", incoming("wardkeeper/v1/st-mary/gw1/up/alert", 1, false, "x"), nil, 1, ""},
		{"a wildcard", slices.Concat(incoming(down1+"#", 1, false, "x"), incoming(down1+"cmd/+", 1, false, "x"), incoming("#", 1, false, "x")), nil, 3, ""},
		{"other ends", slices.Concat(incoming(down1+"cmd", 1, false, "x"), incoming(down1+"cmd/", 1, false, "x"), incoming(down1+"cmd/a/b", 1, false, "x"),
			incoming(down1+"cmd/../x", 1, false, "x"), incoming(down1+"desired/A", 1, false, "x"), incoming(down1+"ack", 1, false, "x"), incoming(down1+"cmd/\x00\xff", 1, false, "x")), nil, 7, ""},
		{"nothing in it", incoming(down1+"desired/policy", 1, true, ""), nil, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, dbPath(t))
			defer s.Close()
			synctest.Test(t, func(t *testing.T) {
				b, e := &broker{reply: tt.reply}, &ear{}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				r := start(t, s, scripted(b), e.hear)
				time.Sleep(writeLimit + time.Second) // the library may hold a subscription so long
				runtime.GC()
				runtime.ReadMemStats(&after)
				if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
					t.Errorf("%d MiB are held", grown>>20)
				}
				st := r.up.Status()
				if tt.err != "" && !strings.Contains(st.LastError, tt.err) || tt.err == "" && !st.Connected {
					t.Errorf("connected %v, %q, want %q", st.Connected, st.LastError, tt.err)
				}
				if st.Unheard < tt.unheard {
					t.Errorf("%d unheard, want %d", st.Unheard, tt.unheard)
				}
				got := e.all()
				slices.Sort(got)
				if diff := cmp.Diff(tt.want, slices.Compact(got)); diff != "" {
					t.Errorf("handed over (-want +got):\n%s", diff)
				}
				b.set(func(b *broker) { b.reply = nil })
				r.emit(event.Alert, 1)
				time.Sleep(time.Minute)
				if !b.numbers(t)[1] {
					t.Error("the alert never arrived")
				}
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// A broker that refuses a subscription, or is silent about it, costs commands
// and not events; the board says it, until it is granted.
func TestSubscriptionRefused(t *testing.T) {
	for name, set := range map[string]func(*broker){
		"refused": func(b *broker) { b.grant = 0x80 },
		"silent":  func(b *broker) { b.mute = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, dbPath(t))
			defer s.Close()
			synctest.Test(t, func(t *testing.T) {
				b, e := &broker{}, &ear{}
				d := scripted(b)
				set(b)
				r := start(t, s, d, e.hear)
				time.Sleep(ackLimit + time.Second)
				r.emit(event.Alert, 1)
				time.Sleep(5 * time.Minute)
				st, c := r.up.Status(), r.board.Conditions()
				if st.Sessions != 1 || !st.Connected || len(st.Deaf) != 4 || !b.numbers(t)[1] {
					t.Errorf("%+v", st)
				}
				want := "the broker does not let this gateway hear wardkeeper/v1/st-mary/all/down/#, wardkeeper/v1/st-mary/grp/icu/down/#, wardkeeper/v1/st-mary/grp/lab/down/#, " + down1 + "#: no command and no desired state from there"
				if len(c) != 1 || c[0].Code != deafCondition || c[0].Text != want {
					t.Errorf("conditions %+v", c)
				}
				b.set(func(b *broker) { b.grant, b.mute, b.noPong = 0, false, true }) // another session
				time.Sleep(2 * time.Minute)
				b.set(func(b *broker) { b.noPong = false })
				time.Sleep(10 * time.Minute)
				if st, c := r.up.Status(), r.board.Conditions(); len(st.Deaf)+len(c) > 0 {
					t.Errorf("granted: %v, %+v", st.Deaf, c)
				}
				if n := r.log.count("refuses a subscription"); n != 4 {
					t.Errorf("%d log lines", n)
				}
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// A broker that answers a subscription with more codes than filters would make
// the library panic, and the agent with it: the session ends before.
func TestSubackTooLong(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b, e := &broker{extra: []byte{0}}, &ear{}
		r := start(t, s, scripted(b), e.hear)
		time.Sleep(writeLimit + time.Second)
		if got, want := r.up.Status().LastError, "connection lost: broker answered one subscription with 4 bytes"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// Desired state that nobody had room for is asked for again; a command is not:
// who sent it is told that it was busy.
func TestAsksAgain(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b, e := &broker{reply: incoming(down1+"cmd/c1", 1, false, "x")}, &ear{full: true}
		r := start(t, s, scripted(b), e.hear)
		time.Sleep(time.Minute)
		b.mu.Lock()
		n := len(b.filters)
		b.mu.Unlock()
		if n != 4 {
			t.Errorf("a command: %d subscriptions, want 4", n)
		}
		b.set(func(b *broker) { b.reply = incoming(down1+"desired/policy", 1, true, "p"); b.noPong = true })
		time.Sleep(2 * time.Minute) // it takes another session
		b.set(func(b *broker) { b.noPong = false })
		time.Sleep(10 * time.Minute)
		if got := e.all(); len(got) > 0 {
			t.Errorf("%q", got)
		}
		e.set(false)
		time.Sleep(stateEvery + time.Second)
		if got := e.all(); len(got) == 0 || got[0] != "desired/policy p retained" {
			t.Errorf("%q", got)
		}
		n = len(e.all())
		time.Sleep(time.Hour)
		if got := e.all(); len(got) > n {
			t.Errorf("still asked for: %d, then %d", n, len(got))
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// A broker that takes each message just before the limit holds the uplink, and
// the uplink does not look hung: the agent would be restarted for it.
func TestSlowBrokerIsNoHang(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b, e := &broker{slow: writeLimit - 100*time.Millisecond}, &ear{}
		began := time.Now()
		r := start(t, s, scripted(b), e.hear)
		watch := health.Watch{Board: r.board}
		for look := range 1200 {
			if look%4 == 0 {
				r.up.Answer(fmt.Sprintf("c%d", look), []byte("ok"))
				r.emit(event.Alert, look)
			}
			time.Sleep(health.LookEvery)
			if hung := watch.Look(time.Since(began)); len(hung) > 0 {
				t.Errorf("at look %d: %v took for hung", look, hung)
				break
			}
		}
		if n := r.up.Status().Acked; n == 0 {
			t.Error("nothing was acknowledged: the broker is not slow but dead")
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // for the broker to see it
	})
}

// Answers wait for a session, the newest 256; they go ahead of events, and
// again where the session ended before the acknowledgement.
func TestAnswers(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b := &broker{down: true}
		r := start(t, s, scripted(b))
		said := func() (out []string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, p := range b.got {
				if topic, ok := strings.CutPrefix(p.TopicName, "wardkeeper/v1/st-mary/gw1/up/cmd/"); ok {
					out = append(out, fmt.Sprintf("%s %s qos %d retain %v", topic, p.Payload, p.Qos, p.Retain))
				}
			}
			return out
		}
		for i := range maxAnswers + 10 {
			r.up.Answer(fmt.Sprintf("c%d", i), []byte("ok"))
		}
		b.set(func(b *broker) { b.noAck, b.down = true, false })
		time.Sleep(6 * time.Minute) // sessions that acknowledge nothing
		if n := r.up.Status().Sessions; n < 2 {
			t.Errorf("%d sessions", n)
		}
		b.set(func(b *broker) { b.noAck, b.got = false, nil })
		time.Sleep(6 * time.Minute)
		var want []string
		for i := range maxAnswers {
			want = append(want, fmt.Sprintf("c%d ok qos 1 retain false", i+10))
		}
		if diff := cmp.Diff(want, said()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		b.set(func(b *broker) { b.got = nil })
		for i := range 500 {
			r.emit(event.Alert, i)
		}
		r.up.Answer("../x#", []byte("now")) // at once, and on one level
		time.Sleep(30 * time.Millisecond)
		if diff := cmp.Diff([]string{".._x_ now qos 1 retain false"}, said()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := r.up.Status().Unsaid; n != 10 {
			t.Errorf("%d unsaid", n)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// A gateway without trusted time says its boot and its mono_ms every minute: who
// commands it has no other clock to set a deadline by.
func TestStateOfABoxWithoutAClock(t *testing.T) {
	for _, synced := range []bool{false, true} {
		s := openStore(t, dbPath(t))
		synctest.Test(t, func(t *testing.T) {
			b := &broker{}
			c := clock.New(unsynced{testClock{time.Now()}, synced}, time.Unix(0, 0))
			r := start(t, s, scripted(b), func(u *Uplink) {
				u.opt.Clock = c
				u.opt.State = func() event.GatewayState {
					return event.GatewayState{Versions: map[string]uint64{"policy": 1795877066000, "root": 2}}
				}
			})
			time.Sleep(5*time.Minute + time.Second)
			synctest.Wait()
			b.mu.Lock()
			n, last := len(b.got), string(b.got[len(b.got)-1].Payload)
			b.mu.Unlock()
			want := `{"v":1,"site":"st-mary","gw":"gw1","online":true,"boot_id":"boot","mono_ms":300000,"time":"2000-01-01T00:05:00.000Z","time_quality":"floor","versions":{"policy":1795877066000,"root":2},"epoch":"e1"}`
			switch {
			case synced && n != 1:
				t.Errorf("%d states in five minutes of a gateway that knows the time, want 1", n)
			case !synced && (n != 6 || last != want):
				t.Errorf("%d states in five minutes, want 6; the last\n%s, want\n%s", n, last, want)
			}
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
		})
		s.Close()
	}
}

type unsynced struct {
	testClock
	synced bool
}

func (u unsynced) Synced() bool { return u.synced }
