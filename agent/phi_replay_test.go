package agent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// stamped gives the frames a time, so many a second.
func stamped(frames []platform.Frame, rate int) []platform.Frame {
	out := make([]platform.Frame, len(frames))
	for i, f := range frames {
		f.Time, f.Link, f.Length = int64(1700000000e9)+int64(i)*int64(1e9)/int64(rate), platform.LinkEthernet, len(f.Data)
		out[i] = f
	}
	return out
}

// facts are all that is stated of the devices on the port, one frame a second:
// nothing is withheld.
func facts(frames []platform.Frame) (out []fact.Fact) {
	x := extract.New(extract.Options{Port: "w1", Flows: 65536, Streams: 4096, StreamBytes: 64 << 20, Sink: func(b fact.Batch) bool { out = append(out, b.Facts...); return true }})
	for _, f := range stamped(frames, 1) {
		x.Frame(f)
	}
	x.Close()
	return out
}

// facts collects all that parsers state.
func (s sinks) facts(frames []platform.Frame) {
	for _, f := range facts(frames) {
		s.add(sinkFacts, fmt.Sprintf("%+v %s", f, f.Value))
	}
}

// captured is a capture file of the frames.
func captured(frames []platform.Frame) []byte {
	pcap := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	for _, f := range stamped(frames, 100) {
		for _, v := range []int64{f.Time / 1e9, f.Time / 1e3 % 1e6, int64(f.Length), int64(f.Length)} {
			pcap = binary.LittleEndian.AppendUint32(pcap, uint32(v))
		}
		pcap = append(pcap, f.Data...)
	}
	return pcap
}

// replays collects all that wardctl says of the frames, in every form, also where
// the file is damaged.
func (s sinks) replays(t *testing.T, frames []platform.Frame) {
	t.Helper()
	dir := t.TempDir()
	whole, cut, pcap := filepath.Join(dir, "ward.pcap"), filepath.Join(dir, "cut.pcap"), captured(frames)
	for file, b := range map[string][]byte{whole: pcap, cut: pcap[:len(pcap)-7]} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "wardctl"), "./cmd/wardctl")
	build.Dir = ".."
	if msg, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, msg)
	}
	run := func(args ...string) (string, error) {
		text, err := exec.Command(filepath.Join(dir, "wardctl"), args...).CombinedOutput()
		return string(text), err
	}
	for name, args := range map[string][]string{sinkReplay: {"replay", whole}, sinkReplayJSON: {"replay", whole, "--json"}, sinkReplayFact: {"replay", whole, "--facts"}} {
		text, err := run(args...)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		s.add(name, text)
	}
	text, err := run("replay", whole, "--policy", "protect/policy/testdata/lab.policy.toml")
	if err != nil {
		t.Errorf("replay with a policy: %v\n%s", err, text)
	}
	s.add(sinkReplay, text)
	text, err = run("replay", cut)
	if err == nil {
		t.Error("wardctl takes a file that is cut short")
	}
	s.add(sinkReplay, text)
}

// errors collects what is said of captures that cannot be read: cut anywhere,
// damaged, and none at all. A source that tells what it read is found out.
func (s sinks) errors(t *testing.T, frames []platform.Frame, l leaks) {
	t.Helper()
	frames = frames[:min(len(frames), 40)]
	try := func(b []byte) {
		src, err := capture.NewFile("x.pcap", bytes.NewReader(b))
		if err == nil {
			_, err = extract.Replay(src, extract.Options{Port: "w1"}, func(fact.Batch) {})
			err = errors.Join(err, src.Close())
		}
		if err != nil {
			s.add(sinkErrors, err.Error())
		}
	}
	pcap := captured(frames)
	for i := 0; i < len(pcap); i += 1 + i/8 { // the headers of the file and of a frame at each byte
		try(pcap[:i])
		damaged := bytes.Clone(pcap)
		damaged[i] ^= 0xff
		try(damaged)
	}
	for _, f := range frames {
		payload := f.Data
		if at := bytes.Index(payload, []byte(secret)); at >= 0 {
			payload = payload[at:]
		}
		for _, head := range []string{"", "\x0a\x0d\x0d\x0a", "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a", "snoop\x00\x00\x00", string(pcap[:24]), "\x1f\x8b"} {
			try(append([]byte(head), payload...))
		}
	}
	_, err := extract.Replay(babbler(l[sinkErrors]), extract.Options{Port: "w1"}, func(fact.Batch) {})
	s.add(sinkErrors, err.Error())
}

// babbler is a source that fails and tells what it read.
type babbler string

func (b babbler) Next(time.Duration) (platform.Frame, error) {
	return platform.Frame{}, fmt.Errorf("capture x: frame % x: %w", string(b), io.ErrUnexpectedEOF)
}
func (babbler) Stats() (s platform.CaptureStats) { return }
func (babbler) Mode() string                     { return "" }
func (babbler) Close() error                     { return nil }
