package command

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// The command matrix: whatever comes by the broker, a device is cut off exactly
// once where it should be, else not at all, and the answer says why.
func TestCommandMatrix(t *testing.T) {
	camera := signed.Quarantine{Device: "camera", Seconds: 60}
	good := func(w *ward) []byte { return w.sign(w.next(), camera, "alice") }
	but := func(change func(*signed.Statement), by ...string) func(w *ward) []byte {
		return func(w *ward) []byte {
			st := w.next()
			change(&st)
			if by == nil {
				by = []string{"alice"}
			}
			return w.sign(st, camera, by...)
		}
	}
	text := func(old, new string) func(w *ward) []byte { // signed all the same: what a signer can be tricked into
		return func(w *ward) []byte { return w.forge(good(w), "alice", old, new) }
	}
	tests := []struct {
		what  string
		make  func(w *ward) []byte
		again func(w *ward, m []byte) string // what follows on the first answer
		want  string                         // the last answer
		times int
	}{
		{what: "good", make: good, want: "succeeded", times: 1},
		{what: "for its group", make: but(func(s *signed.Statement) { s.Target = []string{"grp/icu"} }), want: "succeeded", times: 1},
		{what: "for all", make: but(func(s *signed.Statement) { s.Target = []string{"all"} }), want: "succeeded", times: 1},
		{what: "duplicated", make: good, again: (*ward).obey, want: "succeeded", times: 1},
		{what: "signed again", make: good, again: func(w *ward, m []byte) string { return w.obey(w.cosign(m, "bob")) }, want: "succeeded", times: 1},
		{what: "replayed after a reboot", make: good, again: func(w *ward, m []byte) string {
			w.clock.reboot()
			w.restart()
			return w.obey(m)
		}, want: "succeeded", times: 1},
		{what: "replayed after a reboot without the database", make: good, again: func(w *ward, m []byte) string {
			w.clock.reboot()
			clear(w.room.by)
			w.restart()
			return w.obey(m)
		}, want: "rejected replayed-seq", times: 1},
		{what: "replayed after a reboot, and the newest file is damaged", make: good, again: func(w *ward, m []byte) string {
			clear(w.room.by)
			w.files.by[ratchetKey] = w.files.by[ratchetKey][1:]
			w.restart()
			return w.obey(m)
		}, want: "rejected replayed-seq", times: 1},
		{what: "replayed after a reboot without the files", make: good, again: func(w *ward, m []byte) string {
			clear(w.files.by)
			w.room.by = map[string][]byte{"statement-1001": w.room.by["statement-1001"]}
			w.restart()
			return w.obey(m)
		}, want: "succeeded", times: 1},
		{what: "another with its id", make: good, again: func(w *ward, _ []byte) string {
			st := w.next()
			st.ID = "statement-1001"
			return w.obey(w.sign(st, camera, "alice"))
		}, want: "rejected replayed-seq", times: 1},
		{what: "reordered seq", make: good, again: func(w *ward, _ []byte) string {
			st := w.next()
			st.Seq = 1000
			return w.obey(w.sign(st, camera, "alice"))
		}, want: "rejected replayed-seq", times: 1},
		{what: "expired", make: func(w *ward) []byte {
			m := good(w)
			w.clock.advance(30 * time.Minute)
			return m
		}, want: "expired expired"},
		{what: "not yet", make: but(func(s *signed.Statement) { s.NotBefore = "2026-11-28T12:01:00Z" }), want: "rejected not-yet"},
		{what: "by a clock a bit ahead", make: but(func(s *signed.Statement) { s.NotBefore = "2026-11-28T12:00:30Z" }), want: "succeeded", times: 1},
		{what: "good for too long", make: but(func(s *signed.Statement) { s.Expires = "2026-11-28T13:00:01Z" }), want: "rejected not-allowed"},
		{what: "another gateway", make: but(func(s *signed.Statement) { s.Target = []string{"gw-8"} }), want: "rejected wrong-gateway"},
		{what: "another group", make: but(func(s *signed.Statement) { s.Target = []string{"grp/er"} }), want: "rejected wrong-gateway"},
		{what: "wrong site", make: but(func(s *signed.Statement) { s.Site = "st-john" }), want: "rejected wrong-site"},
		{what: "wrong root", make: but(func(s *signed.Statement) { s.Root = 2 }), want: "rejected wrong-root"},
		{what: "wrong role", make: but(func(*signed.Statement) {}, "dave"), want: "rejected wrong-role"},
		{what: "unknown key", make: but(func(*signed.Statement) {}, "mallory"), want: "rejected unknown-key"},
		{what: "unsigned", make: but(func(*signed.Statement) {}, []string{}...), want: "rejected unsigned"},
		{what: "bad signature", make: func(w *ward) []byte { return w.forge(good(w), "", "camera", "pump"+"er") }, want: "rejected bad-signature"},
		{what: "op and OP", make: text(`"op":"quarantine"`, `"op":"ping","OP":"quarantine"`), want: "rejected not-canonical"},
		{what: "op twice", make: text(`"op":"quarantine"`, `"op":"ping","op":"quarantine"`), want: "rejected not-canonical"},
		{what: "an escape", make: text(`"quarantine"`, `"\u0071uarantine"`), want: "rejected not-canonical"},
		{what: "unknown op", make: text(`"op":"quarantine"`, `"op":"format"`), want: "rejected unknown-op"},
		{what: "bad args", make: text(`"seconds":60`, `"seconds":-1`), want: "rejected invalid-args"},
		{what: "for years", make: text(`"seconds":60`, `"seconds":99999999`), want: "rejected invalid-args"},
		{what: "oversize", make: func(w *ward) []byte { return append(good(w), strings.Repeat(" ", signed.MaxEnvelope)...) }, want: "rejected oversize"},
		{what: "garbage", make: func(*ward) []byte { return []byte("quarantine camera") }, want: "rejected malformed"},
		{what: "of another topic", make: good, again: func(w *ward, _ []byte) string { return w.obeyOn("desired/quarantine", good(w), true) }, want: "rejected wrong-type", times: 1},
		{what: "under another id", make: good, again: func(w *ward, _ []byte) string { return w.obeyOn("cmd/statement-1", good(w), false) }, want: "rejected wrong-type", times: 1},
		{what: "the fence refuses", make: func(w *ward) []byte {
			w.fail["quarantine"] = refusal(signed.ReasonInterlock, "a pump after all")
			return good(w)
		}, again: (*ward).obey, want: "rejected interlock", times: 1},
		{what: "the fence fails", make: func(w *ward) []byte { w.fail["quarantine"] = errPower; return good(w) }, again: (*ward).obey, want: "failed", times: 1},

		{what: "no clock", make: func(w *ward) []byte { w.clock.synced = false; return good(w) }, want: "rejected no-clock"},
		{what: "no clock, this boot", make: func(w *ward) []byte {
			w.clock.synced = false
			return w.sign(w.clockless(time.Minute), camera, "alice")
		}, want: "succeeded", times: 1},
		{what: "no clock, signed by one years ahead", make: func(w *ward) []byte {
			w.clock.synced = false
			st := w.clockless(time.Minute)
			st.NotBefore, st.Expires = "2031-01-01T00:00:00Z", "2031-01-01T00:10:00Z"
			return w.sign(st, camera, "alice")
		}, want: "succeeded", times: 1},
		{what: "another boot", make: func(w *ward) []byte {
			w.clock.synced = false
			m := w.sign(w.clockless(time.Minute), camera, "alice")
			w.clock.reboot()
			return m
		}, want: "rejected stale-boot"},
		{what: "another boot, with a clock", make: func(w *ward) []byte {
			m := w.sign(w.clockless(time.Minute), camera, "alice")
			w.clock.reboot()
			return m
		}, want: "rejected stale-boot"},
		{what: "its deadline passed", make: func(w *ward) []byte {
			w.clock.synced = false
			m := w.sign(w.clockless(time.Minute), camera, "alice")
			w.clock.advance(time.Minute)
			return m
		}, want: "expired expired"},
		{what: "its deadline is far", make: func(w *ward) []byte {
			w.clock.synced = false
			return w.sign(w.clockless(2*time.Hour), camera, "alice")
		}, want: "rejected not-allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			w := newWard(t)
			m := tt.make(w)
			on := topic(m)
			if on == "desired/" {
				on = "cmd/statement-1001"
			}
			got := w.obeyOn(on, m, false)
			if tt.again != nil {
				got = tt.again(w, m)
			}
			if got != tt.want || len(w.effects) != tt.times {
				t.Errorf("%s, done %d times; want %s, %d times: %v", got, len(w.effects), tt.want, tt.times, w.answers)
			}
		})
	}
}

// One root with two people for commands.
func TestThreshold(t *testing.T) {
	w := newWard(t)
	w.root = w.makeRoot(1, func(a *signed.RootArgs) {
		q := a.Roles[signed.RoleCommand]
		q.Threshold = 2
		a.Roles[signed.RoleCommand] = q
	}, "root-a")
	w.start()
	camera := signed.Quarantine{Device: "camera", Seconds: 60}
	got := []string{
		w.obey(w.sign(w.next(), camera, "alice")),
		w.obey(w.sign(w.next(), camera, "alice", "alice2")), // two keys of one person
		w.obey(w.sign(w.next(), camera, "alice", "dave")),
		w.obey(w.sign(w.next(), signed.Mode{Segment: "s", Mode: "enforce"}, "alice")),
		w.done(),
		w.obey(w.sign(w.next(), camera, "alice", "bob")),
		w.obey(w.sign(w.next(), signed.Release{Device: "camera", Undone: true}, "alice")), // opening takes one
		w.obey(w.sign(w.next(), signed.BreakGlass{Scope: "gateway", Seconds: 60}, "carol")),
		w.obey(w.sign(w.next(), signed.Mode{Segment: "s", Mode: "observe"}, "carol")),
		w.done(),
	}
	want := []string{"rejected threshold", "rejected threshold", "rejected threshold", "rejected wrong-role", "",
		"succeeded", "succeeded", "succeeded", "succeeded",
		"quarantine camera 1m0s by alice, bob; release camera by alice undone; open gateway  1m0s by carol; mode s observe by carol"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What every op does, and what the audit says of it.
func TestOps(t *testing.T) {
	w := newWard(t)
	delete(w.life, "pump")
	ops := []signed.Args{signed.Ping{}, signed.Quarantine{Device: "camera", Seconds: 60}, signed.Release{Device: "camera"}, signed.PinRole{Device: "printer", Role: "camera"},
		signed.Tag{Device: "printer", Tags: []string{"lobby"}}, signed.BreakGlass{Scope: "port", Name: "w1", Seconds: 60}, signed.Mode{Segment: "s", Mode: "stage"},
		signed.Explain{Device: "camera"}, signed.Diagnostics{}, signed.Reboot{}}
	var got []string
	for _, a := range ops {
		st, _ := w.next().EncodeArgs(a)
		w.seq--
		end := w.obey(w.sign(w.next(), a, "alice"))
		got = append(got, st.Op+": "+end+": "+w.done()+" "+string(w.answers[len(w.answers)-1].Result))
	}
	want := []string{"ping: succeeded:  ", "quarantine: succeeded: quarantine camera 1m0s by alice ", "release: succeeded: release camera by alice ",
		"pin-role: succeeded:  ", "tag: succeeded:  ", "break-glass: succeeded: open port w1 1m0s by alice ", "mode: succeeded: mode s stage by alice ",
		`explain: succeeded: explain {"device":"camera"}`, `diagnostics: succeeded: diagnostics {"uptime":1}`, "reboot: executing: reboot "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var audit []string
	for _, o := range w.audit {
		audit = append(audit, strings.Join([]string{o.What, o.Op, string(o.Device), o.Name, o.By, o.Why, o.State}, "|"))
	}
	want = []string{"command|quarantine|camera|1m0s|alice|because|succeeded", "command|release|camera||alice|because|succeeded", "command|pin-role|printer|camera|alice|because|succeeded",
		"command|tag|printer|[lobby]|alice|because|succeeded", "command|break-glass||port w1|alice|because|succeeded", "command|mode||s stage|alice|because|succeeded",
		"command|reboot|||alice|because|executing"}
	if diff := cmp.Diff(want, audit); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}
