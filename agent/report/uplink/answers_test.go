package uplink

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// Answers wait for a session in bounded memory, however long they are; the
// newest stays.
func TestAnswersAreBounded(t *testing.T) {
	for name, size := range map[string]int{"short": 200, "long": 128 << 10, "longer than all": maxAnswerBytes + 1} {
		u := &Uplink{answers: answers{wake: make(chan struct{}, 1)}}
		for n := range 1000 {
			u.Answer(string(rune('a'+n%26)), make([]byte, size))
		}
		bytes := 0
		for _, a := range u.answers.list {
			bytes += len(a.payload)
		}
		n := len(u.answers.list)
		if n == 0 || n > maxAnswers || n > 1 && bytes > maxAnswerBytes || u.answers.dropped() != uint64(1000-n) {
			t.Errorf("%s: %d answers of %d bytes wait, %d dropped", name, n, bytes, u.answers.dropped())
		}
		if last := u.answers.list[n-1].id; last != string(rune('a'+999%26)) {
			t.Errorf("%s: the newest is gone", name)
		}
	}
}

// Whoever makes the gateway answer without an end, by messages that nobody has
// signed, does not keep alerts in.
func TestAnswersLeaveRoomForAlerts(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b := &broker{slow: 20 * time.Millisecond}
		r := start(t, s, scripted(b))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				r.up.Answer("c1", []byte("rejected"))
				time.Sleep(time.Millisecond)
			}
		}()
		time.Sleep(30 * time.Second)
		r.emit(event.Alert, 1)
		time.Sleep(5 * time.Second)
		cancel()
		b.mu.Lock()
		alerts, answers := 0, 0
		for _, p := range b.got {
			switch p.TopicName {
			case "wardkeeper/v1/st-mary/gw1/up/alert":
				alerts++
			case "wardkeeper/v1/st-mary/gw1/up/cmd/c1":
				answers++
			}
		}
		b.mu.Unlock()
		if alerts != 1 || answers < 1000 {
			t.Errorf("%d alerts came within 5 s, beside %d answers", alerts, answers)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // for the broker to see it
	})
}
