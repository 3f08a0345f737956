package linux

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// held is what a capture takes from the process and the kernel.
type held struct{ files, sockets, mappings, goroutines int }

func holds(t *testing.T) held {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return held{len(files), sockets(t), strings.Count(string(maps), "socket:["), runtime.NumGoroutine()}
}

// calm waits until what other tests forgot, a frame in hand, is collected.
func calm(t *testing.T) held {
	t.Helper()
	for last, end := holds(t), time.Now().Add(10*time.Second); ; {
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
		now := holds(t)
		if now == last && now.mappings == 0 {
			return now
		}
		if last = now; time.Now().After(end) {
			t.Fatalf("other tests hold %+v", now)
		}
	}
}

// settles waits for goroutines and sockets that are just ending.
func settles(t *testing.T, want held) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got := holds(t)
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%+v, before %+v", got, want)
		}
	}
}

// TestReopen opens a port a hundred times by name. It ends in turn with a frame
// still borrowed, under a reader that waits, and with a port that vanishes and
// comes back. No descriptor, socket, mapping or goroutine may stay, and nobody
// reads from a ring that is gone: that would be the end of the test's process.
func TestReopen(t *testing.T) {
	times := 100 // openings in each mode
	if testing.Short() {
		times = 10
	}
	for mode, opt := range modes() {
		t.Run(mode, func(t *testing.T) {
			p := openPorts(t)
			open := func() platform.FrameSource {
				t.Helper()
				source, err := p.Capture().Open("w1", opt)
				if err != nil {
					t.Fatal(err)
				}
				if source.Mode() != mode {
					t.Fatalf("mode %s, want %s", source.Mode(), mode)
				}
				return source
			}
			if err := open().Close(); err != nil { // what the first opening leaves for all
				t.Fatal(err)
			}
			before := calm(t)
			for i := range times {
				source := open()
				if i == 0 {
					if got := holds(t); got.sockets != before.sockets+1 || mode == "ring" && got.mappings != before.mappings+1 {
						t.Fatalf("%+v while open, before %+v: this test counts nothing", got, before)
					}
				}
				p.Send("w1", numberedFrame(byte(i)))
				f, err := source.Next(5 * time.Second)
				if err != nil || f.Data[17] != byte(i) {
					t.Fatalf("opening %d: frame % x, error %v", i, f.Data, err)
				}
				switch {
				case i%20 == 19:
					p.Unplug("w1")
					if _, err := source.Next(5 * time.Second); !errors.Is(err, platform.ErrPortGone) {
						t.Fatalf("unplugged: error %v", err)
					}
					if _, err := p.Capture().Open("w1", opt); !errors.Is(err, platform.ErrNoPort) {
						t.Fatalf("opened while unplugged: error %v", err)
					}
					p.Plug("w1")
				case i%2 == 0: // someone else ends it, the reader looks at its frame
					if err := source.Close(); err != nil {
						t.Fatal(err)
					}
					if f.Data[17] != byte(i) {
						t.Fatalf("the borrowed frame became % x", f.Data)
					}
				default:
					read := make(chan error, 1)
					go func() {
						_, err := source.Next(5 * time.Second)
						read <- err
					}()
					if i%4 == 1 {
						time.Sleep(time.Millisecond) // let it wait, mostly
					}
					if err := source.Close(); err != nil {
						t.Fatal(err)
					}
					if err := <-read; !errors.Is(err, platform.ErrClosed) {
						t.Fatalf("closed under a reader: error %v", err)
					}
				}
				// The reader comes back for more, once or never again.
				if _, err := source.Next(0); !errors.Is(err, platform.ErrClosed) && i%20 != 19 {
					t.Fatalf("after the end: error %v", err)
				}
				if err := source.Close(); err != nil {
					t.Fatal(err)
				}
			}
			settles(t, before)
		})
	}
}

// numberedFrame is told apart by its last address byte.
func numberedFrame(n byte) []byte {
	b := make([]byte, 60)
	b[12], b[13], b[17] = 0x88, 0xb5, n // an EtherType for experiments
	return b
}
