package main

import "errors"

// feeder feeds the hardware watchdog for as long as the kernel says that the
// ward is connected. It asks beside the supervision: a kernel that does not
// answer must end the feeding, and not keep PID 1 from saying so.
type feeder struct {
	connected func() error // asks, and mends what it can
	feed      func() error
	say       *speaker
	answer    chan error // of connected
	asked     int        // ticks since it was asked; 0: it was not
	trouble   string     // what was said last
}

func newFeeder(connected, feed func() error, say *speaker) *feeder {
	return &feeder{connected: connected, feed: feed, say: say, answer: make(chan error, 1)}
}

// answerLimit is when a kernel that does not answer is spoken of, in ticks.
const answerLimit = 5

var errNoAnswer = errors.New("the kernel does not say whether the ward is connected")

// tick asks, unless the answer to an earlier tick is still to come.
func (f *feeder) tick() {
	f.asked++
	switch f.asked {
	case 1:
		go func() { f.answer <- f.connected() }()
	case answerLimit:
		f.tell(errNoAnswer)
	}
}

// answered takes what came over answer.
func (f *feeder) answered(err error) {
	f.asked = 0
	if err == nil || errors.As(err, new(degraded)) {
		if ferr := f.feed(); ferr != nil {
			err = ferr
		}
	}
	f.tell(err)
}

// degraded is what is wrong with a ward that is connected all the same: a reset
// would mend none of it, and cut off those who are.
type degraded struct{ error }

// tell says what is new only: once a second would hide all else.
func (f *feeder) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == f.trouble {
		return
	}
	f.trouble = text
	if err == nil {
		f.say.alarm("the ward is connected, the watchdog is fed")
		return
	}
	if errors.As(err, new(degraded)) {
		f.say.alarm("the ward is connected, the watchdog is fed, but: %v", err)
		return
	}
	f.say.alarm("the watchdog is not fed: %v", err)
}

// connected mends the bridge if it must be.
func (b *box) connected() error {
	h := b.bridge.Check()
	if h.Wrong == nil && h.Cut == nil {
		return nil
	}
	_ = b.bridge.Up() // what is left to say, Check says
	switch h = b.bridge.Check(); {
	case h.Cut != nil:
		return h.Cut
	case h.Wrong != nil:
		return degraded{h.Wrong}
	}
	return nil
}
