package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/health/healthtest"
	"github.com/wardkeeper/wardkeeper/platform"
)

// port is a live port that the test moves.
type port struct {
	mu   sync.Mutex
	gone bool
	src  *source
	errs map[int]error // by number of the opening
	n    int
}

func (p *port) Open(name string, _ platform.CaptureOptions) (platform.FrameSource, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	if err := p.errs[p.n]; err != nil {
		return nil, err
	}
	if p.gone {
		return nil, fmt.Errorf("open %s: %w", name, platform.ErrNoPort)
	}
	p.src = &source{frames: make(chan platform.Frame), fail: make(chan error, 1), closed: make(chan struct{})}
	return p.src, nil
}

func (p *port) now() *source {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.src
}

func (p *port) set(gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = gone
}

type source struct {
	frames chan platform.Frame
	fail   chan error
	closed chan struct{}
	once   sync.Once
	mu     sync.Mutex
	stats  platform.CaptureStats
}

func (s *source) Next(wait time.Duration) (platform.Frame, error) {
	select {
	case f := <-s.frames:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stats.Frames++
		return f, nil
	case err := <-s.fail:
		return platform.Frame{}, err
	case <-s.closed:
		return platform.Frame{}, platform.ErrClosed
	case <-time.After(wait):
		return platform.Frame{}, platform.ErrNoFrame
	}
}

func (s *source) lose(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Dropped += n
}

func (s *source) Stats() platform.CaptureStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
func (s *source) Mode() string { return "test" }
func (s *source) Close() error { s.once.Do(func() { close(s.closed) }); return nil }

// consumer counts what it is told.
type consumer struct {
	mu      sync.Mutex
	frames  int
	elapsed time.Duration
	closed  bool
}

func (c *consumer) Frame(platform.Frame) { c.mu.Lock(); c.frames++; c.mu.Unlock() }
func (c *consumer) Tick(d time.Duration) { c.mu.Lock(); c.elapsed += d; c.mu.Unlock() }
func (c *consumer) Close()               { c.mu.Lock(); c.closed = true; c.mu.Unlock() }
func (c *consumer) time() time.Duration  { c.mu.Lock(); defer c.mu.Unlock(); return c.elapsed }
func (c *consumer) seen() (int, bool)    { c.mu.Lock(); defer c.mu.Unlock(); return c.frames, c.closed }

// bubbleClock is the clock of the test's bubble.
type bubbleClock struct{ boot time.Time }

func (b bubbleClock) Now() time.Time      { return time.Now() }
func (b bubbleClock) Mono() time.Duration { return time.Since(b.boot) }
func (b bubbleClock) Synced() bool        { return true }
func (b bubbleClock) BootID() string      { return "boot" }

func codes(b *health.Board) (out []string) {
	for _, c := range b.Conditions() {
		out = append(out, c.Code+" "+c.Severity.String()+": "+c.Text)
	}
	return out
}

// start runs a task on a test port within a bubble.
func start(t *testing.T, p *port) (*Task, *consumer, *health.Board) {
	board, next := &health.Board{}, &consumer{}
	task := NewTask(Options{
		Port: "w1", Capture: p, Board: board, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Clock: clock.New(bubbleClock{time.Now()}, time.Time{}),
	}, next)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- task.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if _, closed := next.seen(); !closed {
			t.Error("the consumer was not closed")
		}
	})
	synctest.Wait()
	return task, next, board
}

func TestPortVanishesAndReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &port{}
		task, next, board := start(t, p)
		<-task.Ready()
		p.now().frames <- platform.Frame{Time: time.Now().UnixNano()}
		p.now().frames <- platform.Frame{Time: time.Now().UnixNano()}

		p.set(true)
		p.now().fail <- platform.ErrPortGone
		time.Sleep(time.Minute)
		want := []string{"capture.port_gone:w1 failure: port w1 is not observed: open w1: no such port"}
		if diff := cmp.Diff(want, codes(board)); diff != "" {
			t.Errorf("conditions while gone (-want +got):\n%s", diff)
		}
		if p.n > 30 {
			t.Errorf("%d attempts within a minute", p.n)
		}
		if silent := board.Silent(task.opt.Clock.Now().Mono, 2*health.BeatEvery); len(silent) > 0 {
			t.Errorf("no heartbeat of %v while the port is gone", silent)
		}

		p.set(false)
		time.Sleep(lastPause)
		synctest.Wait()
		if got := codes(board); len(got) > 0 {
			t.Errorf("conditions after the return: %q", got)
		}
		p.now().frames <- platform.Frame{Time: time.Now().UnixNano()}
		time.Sleep(2 * time.Second)
		if diff := cmp.Diff(Status{Port: "w1", Mode: "test", Frames: 3, Opened: 2}, task.Status()); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
		if n, _ := next.seen(); n != 3 {
			t.Errorf("%d frames handed on, want 3", n)
		}
	})
}

func TestPortMissingAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &port{gone: true}
		task, _, board := start(t, p)
		select {
		case <-task.Ready():
			t.Error("ready without a port")
		default:
		}
		if got := codes(board); !slices.Contains(got, "capture.port_gone:w1 failure: port w1 is not observed: open w1: no such port") {
			t.Errorf("conditions %q", got)
		}
		p.set(false)
		<-task.Ready()
	})
}

func TestFailureOfTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &port{errs: map[int]error{2: errors.New("out of memory")}}
		task, _, board := start(t, p)
		p.now().fail <- errors.New("read ring: bad block")
		time.Sleep(2 * firstPause)
		time.Sleep(10 * time.Second)
		if s := task.Status(); s.Opened != 2 {
			t.Errorf("opened %d times, want 2", s.Opened)
		}
		if got := codes(board); len(got) > 0 {
			t.Errorf("conditions %q", got)
		}
	})
}

func TestTimePassesWithoutFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, next, _ := start(t, &port{})
		time.Sleep(10 * time.Second)
		if d := next.time(); d < 9*time.Second || d > 10*time.Second {
			t.Errorf("told of %v in 10 s", d)
		}
	})
}

func TestLostFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &port{}
		task, _, board := start(t, p)
		p.now().lose(7)
		time.Sleep(time.Second)
		want := []string{"capture.dropped:w1 warning: port w1: frames lost by the capture, 7 in all"}
		if diff := cmp.Diff(want, codes(board)); diff != "" || task.Status().Dropped != 7 {
			t.Errorf("status %+v, conditions (-want +got):\n%s", task.Status(), diff)
		}
		time.Sleep(dropQuiet + time.Second)
		if got := codes(board); len(got) > 0 {
			t.Errorf("conditions after a quiet minute: %q", got)
		}
	})
}

// The frames tell their own time: a tick is of the silence behind the last one.
func TestTickIsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &port{}
		task, next, _ := start(t, p)
		<-task.Ready()
		for range 10 {
			p.now().frames <- platform.Frame{Time: time.Now().UnixNano()}
			time.Sleep(wait - time.Millisecond)
		}
		p.now().frames <- platform.Frame{Time: time.Now().UnixNano()}
		time.Sleep(wait + time.Millisecond)
		synctest.Wait()
		if d := next.time(); d != wait {
			t.Errorf("%v in ticks, want %v", d, wait)
		}
	})
}

// TestBusyPortIsNoHang: the clock of frames is set back, or a full ring of one
// moment takes long to read, and no gap lets the task tell the time.
func TestBusyPortIsNoHang(t *testing.T) {
	for name, stamp := range map[string]func(i int) time.Duration{
		"a clock that is set back": func(i int) time.Duration { return -time.Duration(i/9000) * 1800 * time.Millisecond },
		"a full ring":              func(i int) time.Duration { return 2*time.Second - time.Duration(max(i-10, 0))*99*time.Microsecond },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &port{}
				task, _, board := start(t, p)
				go func() {
					for i := range 40000 { // of 100 us each
						p.now().frames <- platform.Frame{Time: time.Now().Add(stamp(i)).UnixNano()}
						time.Sleep(100 * time.Microsecond)
					}
				}()
				if hung, after := healthtest.Watch(board, 5*time.Second, func() time.Duration { return task.opt.Clock.Now().Mono }); hung != nil {
					t.Errorf("%v hangs after %s", hung, after)
				}
			})
		})
	}
}
