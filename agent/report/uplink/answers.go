package uplink

import "sync"

// Bounds of what waits for a session; the oldest goes first: who asked so long
// ago has given up. Diagnostics are some 100 KB.
const (
	maxAnswers     = 256
	maxAnswerBytes = 1 << 20
)

// answer is what is said to a command.
type answer struct {
	id      string
	payload []byte
}

// answers is a bounded queue in memory.
type answers struct {
	wake chan struct{} // something waits

	mu   sync.Mutex
	list []answer // mu; oldest first
	lost uint64   // mu
}

// Answer queues the answer to a command. It never blocks; it goes out with the
// session that is there or the next one, perhaps twice. payload is not copied.
func (u *Uplink) Answer(id string, payload []byte) {
	a := &u.answers
	a.mu.Lock()
	a.list = append(a.list, answer{id, payload})
	a.trim()
	a.mu.Unlock()
	wake(a.wake)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake already
	}
}

func (a *answers) trim() {
	n, size := len(a.list), 0
	for n > 0 && len(a.list)-n < maxAnswers {
		if size += len(a.list[n-1].payload); size > maxAnswerBytes && n < len(a.list) {
			break
		}
		n--
	}
	if n > 0 {
		a.list = append([]answer(nil), a.list[n:]...)
		a.lost += uint64(n)
	}
}

// next takes the oldest.
func (a *answers) next() (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		return answer{}, false
	}
	first := a.list[0]
	a.list[0] = answer{}
	a.list = a.list[1:]
	return first, true
}

// giveBack puts those in front that a session has sent without an
// acknowledgement.
func (a *answers) giveBack(list []answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(list, a.list...)
	a.trim()
}

// dropped counts answers that nobody will hear.
func (a *answers) dropped() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost
}
