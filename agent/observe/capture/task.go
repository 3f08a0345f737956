package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Consumer takes the frames of one port, on the Task's goroutine.
type Consumer interface {
	// Frame reads a frame and keeps none of its bytes.
	Frame(f platform.Frame)
	// Tick says how much time passed without a frame.
	Tick(elapsed time.Duration)
	// Close hands over what is left.
	Close()
}

// Options are what a Task needs.
type Options struct {
	Port    string
	Capture platform.Capture
	Choices platform.CaptureOptions
	Clock   *clock.Clock
	Board   *health.Board
	Log     *slog.Logger
}

const (
	// wait is how long the capture may keep us from telling the time; flow
	// deltas are due every second.
	wait = 500 * time.Millisecond
	// pollFrames is after how many frames the clock is asked whatever their time
	// says: a full ring is of one moment, and reading it may take long.
	pollFrames = 1024
	// A port that is gone is looked for after a pause that doubles between
	// these; a device being re-plugged must not stay unseen for long.
	firstPause, lastPause = 100 * time.Millisecond, 5 * time.Second
	// dropQuiet is how long no frame must be lost for the condition to clear.
	dropQuiet = time.Minute
)

// Task keeps one ward port open and hands its frames on.
type Task struct {
	opt   Options
	next  Consumer
	ready chan struct{}

	frames, dropped, opened atomic.Uint64
	mode                    atomic.Pointer[string]
	droppedAt               time.Duration // since boot; Run only
}

// NewTask makes a task that hands the port's frames to next.
func NewTask(opt Options, next Consumer) *Task {
	opt.Log = opt.Log.With("task", "capture "+opt.Port)
	return &Task{opt: opt, next: next, ready: make(chan struct{})}
}

// String names the task.
func (t *Task) String() string { return "capture " + t.opt.Port }

// Ready is closed when the port was open for the first time.
func (t *Task) Ready() <-chan struct{} { return t.ready }

// Status is what the capture of a port did so far, over all openings.
type Status struct {
	Port    string
	Mode    string // "" before the first opening
	Frames  uint64
	Dropped uint64 // lost in the kernel
	Opened  uint64 // times
}

// Status may be asked by any goroutine.
func (t *Task) Status() Status {
	s := Status{Port: t.opt.Port, Frames: t.frames.Load(), Dropped: t.dropped.Load(), Opened: t.opened.Load()}
	if m := t.mode.Load(); m != nil {
		s.Mode = *m
	}
	return s
}

// Run captures until ctx ends. A port that vanishes is opened again by name.
func (t *Task) Run(ctx context.Context) error {
	defer t.next.Close()
	pause := firstPause
	for ctx.Err() == nil {
		t.opt.Board.Busy(t.String(), t.opt.Clock.Now().Mono)
		src, err := t.opt.Capture.Open(t.opt.Port, t.opt.Choices)
		if err == nil {
			t.up(src)
			var read bool
			if read, err = t.read(ctx, src); read {
				pause = firstPause
			}
		}
		if ctx.Err() != nil {
			break
		}
		t.down(err)
		t.rest(ctx, pause)
		pause = min(2*pause, lastPause)
	}
	t.opt.Board.Clear(t.code("port_gone"))
	t.opt.Board.Clear(t.code("dropped"))
	return nil
}

// read hands frames on until the source fails; read tells whether any came.
func (t *Task) read(ctx context.Context, src platform.FrameSource) (read bool, err error) {
	stop := context.AfterFunc(ctx, func() { src.Close() }) // wakes Next
	r := round{src: src, at: t.opt.Clock.Now().Mono}
	defer func() {
		stop()
		t.poll(&r, t.opt.Clock.Now())
		t.opt.Board.Busy(t.String(), t.opt.Clock.Now().Mono)
		src.Close()
	}()
	for {
		f, err := src.Next(wait)
		switch {
		case err == nil:
			read = true
			t.next.Frame(f)
			// The clock is not asked for every frame; their own time may jump.
			r.unseen++
			if d := f.Time - r.polled; d >= int64(wait) || d <= -int64(wait) || r.unseen == pollFrames {
				r.polled, r.unseen = f.Time, 0
				now := t.opt.Clock.Now()
				r.at = now.Mono
				t.poll(&r, now)
			}
		case errors.Is(err, platform.ErrNoFrame):
			now := t.opt.Clock.Now()
			// No more than the wait is silence: r.at may be before the last frame.
			t.next.Tick(min(now.Mono-r.at, wait))
			r.at = now.Mono
			t.poll(&r, now)
		default:
			return read, err
		}
	}
}

// round is one opening of the port.
type round struct {
	src    platform.FrameSource
	last   platform.CaptureStats // already counted
	unseen int                   // frames since the last poll
	polled int64                 // time of the frame at the last poll, nanoseconds since 1970
	at     time.Duration         // since boot, when we last knew the time
}

// poll counts, tells that we are alive, and watches for lost frames.
func (t *Task) poll(r *round, now clock.Stamp) {
	s := r.src.Stats()
	t.frames.Add(s.Frames - r.last.Frames)
	lost := s.Dropped - r.last.Dropped
	r.last = s
	t.opt.Board.Beat(t.String(), now.Mono)
	switch {
	case lost > 0:
		t.droppedAt = now.Mono
		total := t.dropped.Add(lost)
		if t.opt.Board.Set(health.Condition{
			Code: t.code("dropped"), Severity: health.Warning, Since: now.Wall,
			Text: fmt.Sprintf("port %s: frames lost by the capture, %d in all", t.opt.Port, total),
		}) {
			t.opt.Log.Warn("frames lost by the capture", "port", t.opt.Port, "lost", lost)
		}
	case now.Mono-t.droppedAt >= dropQuiet && t.opt.Board.Clear(t.code("dropped")):
		t.opt.Log.Info("no more frames lost by the capture", "port", t.opt.Port)
	}
}

func (t *Task) code(what string) string { return "capture." + what + ":" + t.opt.Port }

// up notes that the port is open.
func (t *Task) up(src platform.FrameSource) {
	mode := src.Mode()
	t.mode.Store(&mode)
	first := t.opened.Add(1) == 1
	if t.opt.Board.Clear(t.code("port_gone")) || first {
		t.opt.Log.Info("capturing", "port", t.opt.Port, "mode", mode)
	}
	if first {
		close(t.ready)
	}
}

// down notes why the port is not.
func (t *Task) down(err error) {
	if t.opt.Board.Set(health.Condition{
		Code: t.code("port_gone"), Severity: health.Failure, Since: t.opt.Clock.Now().Wall,
		Text: fmt.Sprintf("port %s is not observed: %v", t.opt.Port, err),
	}) {
		t.opt.Log.Error("port is not observed", "port", t.opt.Port, "error", err)
	}
}

// rest waits for a pause or for the end; time goes on for the consumer.
func (t *Task) rest(ctx context.Context, pause time.Duration) {
	if health.Rest(ctx, pause, func() { t.opt.Board.Beat(t.String(), t.opt.Clock.Now().Mono) }) {
		t.next.Tick(pause)
	}
}
