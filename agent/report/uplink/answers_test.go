package uplink

import "testing"

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
