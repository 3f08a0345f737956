package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// Sinks, by name: all that comes out of the agent and of wardctl. What leaks on
// purpose, to see that it is found, has a word for each.
type (
	sinks map[string][]byte
	leaks map[string]string
)

const (
	sinkFacts      = "facts"
	sinkInventory  = "inventory"
	sinkDatabase   = "database with its free pages"
	sinkFiles      = "files beside the database"
	sinkPayloads   = "payloads to the broker"
	sinkTopics     = "topics at the broker"
	sinkDenies     = "deny events"
	sinkHealth     = "health records"
	sinkLog        = "log at every level"
	sinkDiagnosis  = "answer to diagnostics"
	sinkExplain    = "answers to explain"
	sinkStatus     = "show status"
	sinkDevices    = "show devices"
	sinkDevice     = "show device"
	sinkShowDenies = "show denies"
	sinkShowLog    = "show log 500"
	sinkFirmware   = "show firmware"
	sinkConsole    = "the rest of the console"
	sinkReplay     = "wardctl replay"
	sinkReplayJSON = "wardctl replay --json"
	sinkReplayFact = "wardctl replay --facts"
	sinkErrors     = "errors of captures"
	sinkStacks     = "stacks, as SIGQUIT and a crash print them"
	sinkPanic      = "words of a panic"
)

// all are the names.
func (sinks) all() []string {
	return []string{sinkFacts, sinkInventory, sinkDatabase, sinkFiles, sinkPayloads, sinkTopics, sinkDenies, sinkHealth, sinkLog, sinkDiagnosis, sinkExplain, sinkStatus,
		sinkDevices, sinkDevice, sinkShowDenies, sinkShowLog, sinkFirmware, sinkConsole, sinkReplay, sinkReplayJSON, sinkReplayFact, sinkErrors, sinkStacks, sinkPanic}
}

// add appends what came out.
func (s sinks) add(name string, out ...string) {
	for _, o := range out {
		s[name] = append(append(s[name], o...), '\n')
	}
}

// through lets a gateway see the frames and collects what it keeps and tells.
func (s sinks) through(t *testing.T, frames []platform.Frame, l leaks) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC()) // so that it is known and fenced in: later it speaks like all devices at once
		g.denied(t)
		seen := g.agent.ports[0].Status().Frames
		for i, f := range frames {
			if i%50 == 0 {
				g.wait(time.Second)
			}
			g.host.Ports.Inject("w1", f.Dir, f.Data)
		}
		g.wait(time.Minute)
		if got := g.agent.ports[0].Status(); got.Frames-seen != uint64(len(frames)) || got.Dropped > 0 {
			t.Errorf("capture %+v, want %d frames", got, len(frames))
		}
		g.leak(t, l)
		g.wait(time.Minute)
		s.collect(g, l)
		g.stop()
		topics, payloads := g.broker.payloads(t)
		s.add(sinkTopics, topics...)
		for _, p := range payloads {
			s.add(sinkPayloads, string(p))
		}
		for name, kind := range map[string]string{sinkDenies: "deny", sinkHealth: "health"} {
			s.add(name, g.broker.of(t, kind)...)
		}
		s.add(sinkLog, g.log.String())
		s.files(t, g)
	})
}

// denied lets a stranger's packets be refused: a copy of each comes to the agent
// another way, with what it carries (NFLOG).
func (g *gateway) denied(t *testing.T) {
	t.Helper()
	stranger, carried := [6]byte{0, 0x11, 0x22, 0, 0, 0x66}, []byte(secret+"9001")
	tcp, udp := append(hosttest.TCP(1, 23, hosttest.SYN), carried...), hosttest.UDP(1, 53, carried)
	for _, packet := range [][]byte{
		hosttest.IPv4("10.40.122.66", pumpIP, 6, 0, tcp), hosttest.IPv4("10.40.122.66", pumpIP, 17, 0, udp),
		hosttest.IPv4("10.40.122.66", pumpIP, 1, 0, append([]byte{8, 0, 0, 0, 0, 1, 0, 1}, carried...)),
		hosttest.IPv4("10.40.122.66", pumpIP, 99, 0, carried), hosttest.IPv4("10.40.122.66", pumpIP, 6, 2, carried),
	} {
		if g.host.Firewall.Decide(fake.Packet{In: "w2", Out: "w1", Frame: hosttest.Ethernet(pumpMAC(), stranger, 0x0800, packet)}).Accepted {
			t.Errorf("a stranger's packet passes: %q", packet)
		}
	}
}

// leak does on purpose what no room does: it tells the words through the doors
// that the rooms use.
func (g *gateway) leak(t *testing.T, l leaks) {
	t.Helper()
	if len(l) == 0 {
		return
	}
	a := g.agent
	now := a.clock.Now()
	values, none := map[string][]byte{}, map[string][]byte{}
	for i := range 100 { // most of the pages are free afterwards, and not all are written again
		values[fmt.Sprint(i)], none[fmt.Sprint(i)] = bytes.Repeat([]byte(l[sinkDatabase]), 500), nil
	}
	room := a.store.Room("trial")
	if err := errors.Join(room.Save(values), room.Save(none)); err != nil {
		t.Error(err)
	}
	if err := kept.Open(filepath.Join(g.state(), rulesDir)).Put("trial", []byte(l[sinkFiles])); err != nil {
		t.Error(err)
	}
	a.recent.Emit(event.Event{Class: event.Alert, At: now, Body: event.Warning{Signal: "trial", Text: l[sinkPayloads]}})
	a.recent.Emit(event.Event{Class: event.State, Key: "trial", At: now, Body: named(l[sinkTopics])})
	a.recent.Emit(event.Event{Class: event.Alert, At: now, Body: event.Deny{Device: device.IDOf(pumpMAC()), Service: l[sinkDenies]}})
	a.recent.Emit(event.Event{Class: event.Alert, At: now, Body: event.Deny{Device: device.IDOf(pumpMAC()), Peer: l[sinkShowDenies]}})
	a.board.Set(health.Condition{Code: "trial.health", Text: l[sinkHealth], Severity: health.Warning, Since: now.Wall})
	a.board.Set(health.Condition{Code: "trial.status", Text: l[sinkStatus], Severity: health.Warning, Since: now.Wall})
	a.log.Debug("trial", "value", l[sinkLog])
	a.log.Info("trial", "value", l[sinkShowLog])
	slog.New(a.journal).Error("trial", "err", l[sinkDiagnosis])
	a.build.Image = l[sinkFirmware]
}

// named is an event of any kind.
type named string

func (n named) Kind() string { return string(n) }

// collect asks the gateway for all that it tells when asked.
func (s sinks) collect(g *gateway, l leaks) {
	g.t.Helper()
	for _, name := range []string{sinkStatus, sinkDevices, sinkShowDenies, sinkShowLog, sinkFirmware} {
		s.add(name, g.show(name))
	}
	for _, command := range []string{"help", "show policy", "show quarantine", "show uplink", "show clock", "show request", "show code gw1", "show code " + l[sinkConsole]} {
		s.add(sinkConsole, g.show(command))
	}
	b := box{g.agent}
	text := func(v any, err error) string {
		out, jerr := json.Marshal(v)
		if err != nil || jerr != nil {
			g.t.Error(err, jerr)
		}
		return string(out)
	}
	s.add(sinkDiagnosis, text(b.Diagnostics(g.t.Context())))
	for _, d := range g.agent.devices.Snapshot().Devices {
		s.add(sinkDevice, g.show("show device "+string(d.ID)))
		s.add(sinkExplain, text(b.Explain(g.t.Context(), signed.Explain{Device: string(d.ID)})))
		s.add(sinkInventory, fmt.Sprintf("%+v", d))
	}
	s.add(sinkExplain, text(b.Explain(g.t.Context(), signed.Explain{Service: "tcp/23", Src: "10.40.122.66", Dst: pumpIP, SrcMAC: "00:11:22:00:00:66", DstMAC: "00:12:21:64:5e:d0", In: "w2", Out: "w1"})))
}

// files reads all that the gateway left on its disk. Nothing is there but what is
// known to be.
func (s sinks) files(t *testing.T, g *gateway) {
	t.Helper()
	err := filepath.WalkDir(g.state(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(g.state(), path)
		switch {
		case rel == storeFile:
			s.add(sinkDatabase, string(b))
		case strings.HasPrefix(rel, rulesDir+"/"):
			s.add(sinkFiles, rel, string(b))
		default:
			t.Errorf("%s: %d bytes that nobody knows of", path, len(b))
		}
		for _, magic := range []string{"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\x0a\x0d\x0d\x0a", "snoop\x00"} {
			if bytes.HasPrefix(b, []byte(magic)) {
				t.Errorf("%s is a capture", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// all is the content of all files below a folder.
func all(t *testing.T, dir string) (out []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out = append(out, b...)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d bytes in %s: %v", len(out), dir, err)
	}
	return out
}
