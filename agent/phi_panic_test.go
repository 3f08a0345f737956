package agent

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// stacks collects the stacks of all goroutines while frames are read: what a
// crash and SIGQUIT print. Go prints arguments as words: text is an address and
// a length, but an array by value is its bytes.
func (s sinks) stacks(frames []platform.Frame, l leaks) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			x := extract.New(extract.Options{Port: "w1", Flows: 65536, Streams: 4096, StreamBytes: 64 << 20, Sink: func(fact.Batch) bool { return true }})
			for _, f := range stamped(frames, 1) {
				x.Frame(f)
				select {
				case <-stop:
					return
				default:
				}
			}
		}
	}()
	var word [8]byte
	copy(word[:], l[sinkStacks])
	go held(word, stop)
	buf := make([]byte, 1<<20)
	for parsers := 0; parsers < 30; runtime.Gosched() {
		text := buf[:runtime.Stack(buf, true)]
		if bytes.Contains(text, []byte("/observe/dissect.")) {
			s.add(sinkStacks, string(text))
			parsers++
		}
	}
	close(stop)
	<-stopped
}

// held waits with an array by value, as no parser may have one of the payload.
//
//go:noinline
func held(word [8]byte, stop chan struct{}) byte {
	<-stop
	return word[0]
}

// doomed in the environment makes the test binary a parser that panics: by a
// mistake of its own, or telling what it read.
const doomed = "WARDKEEPER_TEST_DOOMED"

// TestDoomed is the parser that panics, in the middle of a secret, where another
// test has started this one as its child; by itself it is nothing, and no skip.
func TestDoomed(t *testing.T) {
	how := os.Getenv(doomed)
	if how == "" {
		return
	}
	var k traffic
	k.hl7()
	frames := k.frames[:200]
	var frame platform.Frame
	x := extract.New(extract.Options{Port: "w1", Sink: func(b fact.Batch) bool {
		if how == "mistake" {
			return b.Facts[len(frame.Data)].Time == 0 // index out of range
		}
		panic(how + ": " + string(frame.Data[bytes.Index(frame.Data, []byte(secret)):]))
	}})
	for _, frame = range stamped(frames, 1) {
		if bytes.Contains(frame.Data, []byte(secret)) {
			x.Frame(frame)
		}
	}
}

// panics collects what a parser's panic leaves on the standard error, with as
// little as PID 1 asks for and with all there is.
func (s sinks) panics(t *testing.T, l leaks) {
	t.Helper()
	how := "mistake"
	if word := l[sinkPanic]; word != "" {
		how = word
	}
	for _, level := range []string{"single", "all", "system"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDoomed$")
		cmd.Env = append(os.Environ(), doomed+"="+how, "GOTRACEBACK="+level)
		text, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(text), "extract.(*Extractor).Frame(") {
			t.Errorf("the parser did not panic: %v\n%s", err, text)
		}
		s.add(sinkPanic, string(text))
	}
}
