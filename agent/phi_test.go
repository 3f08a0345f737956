package agent

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// spill sends the frames of each day through the whole agent, which is new each
// day and so forgets less for want of room, and all through wardctl. It collects
// all that comes out.
func spill(t *testing.T, l leaks, days ...[]platform.Frame) sinks {
	t.Helper()
	s, frames := sinks{}, slices.Concat(days...)
	s.facts(frames)
	for _, day := range days {
		s.through(t, day, l)
	}
	s.replays(t, frames)
	s.errors(t, frames, l)
	s.stacks(frames, l)
	s.panics(t, l)
	if diff := cmp.Diff(slices.Sorted(slices.Values(s.all())), slices.Sorted(maps.Keys(s))); diff != "" {
		t.Errorf("sinks (-want +got):\n%s", diff)
	}
	return s
}

// TestPatientDataStaysInside sends a secret in every field that may hold a
// person through all of it: in fields that may never get out, and in those that
// may as long as no person is in them; split, cut, broken and with lengths that
// lie. What may get out must be there, or nothing was read.
func TestPatientDataStaysInside(t *testing.T) {
	days, secrets, frames := [][]platform.Frame{}, 0, 0
	for i, k := range []traffic{{}, {owned: true}, {lies: rand.New(rand.NewPCG(6, 5))}} {
		if i > 0 && testing.Short() { // with the race detector, which is after other things
			break
		}
		k.ward()
		days, secrets, frames = append(days, k.frames), secrets+k.n, frames+len(k.frames)
	}
	t.Logf("%d secrets in %d frames", secrets, frames)
	out := spill(t, nil, days...)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if s := find(out[name], secret); s != "" {
			t.Errorf("%s: patient data %s", name, s)
		}
	}
	for _, name := range []string{sinkFacts, sinkInventory, sinkDatabase, sinkPayloads, sinkDevices, sinkDevice, sinkExplain, sinkReplay, sinkReplayJSON, sinkReplayFact} {
		if find(out[name], witness) == "" {
			t.Errorf("%s: not even what may get out was found in %d bytes", name, len(out[name]))
		}
	}
	for name, want := range map[string]string{sinkDenies: "10.40.122.66", sinkShowDenies: "10.40.122.66", sinkLog: "agent starts", sinkErrors: "captured length", sinkStacks: "dissect", sinkPanic: "index out of range",
		sinkTopics: "/up/", sinkHealth: "counters", sinkDiagnosis: `"observe.withheld":0`} {
		if !strings.Contains(string(out[name]), want) {
			t.Errorf("%s: no %q in %d bytes", name, want, len(out[name]))
		}
	}
}

// TestLeaksAreFound lets a secret into each sink by the door that the rooms use:
// the search finds it, or finding none in it proves nothing. Parsers leak by a
// field that is told everywhere, the product that a sender of HL7 is.
func TestLeaksAreFound(t *testing.T) {
	var k traffic
	k.hl7()
	k.frames = k.frames[:400]
	words := leaks{}
	for i, name := range (sinks{}).all() {
		words[name] = fmt.Sprintf("%sQ%c", secret, 'A'+i)
	}
	for i, name := range []string{sinkFacts, sinkInventory, sinkDevices, sinkDevice, sinkExplain, sinkReplay, sinkReplayJSON, sinkReplayFact} {
		sender := monitorMAC()
		sender[5] = byte(i)
		k.frames = append(k.frames, platform.Frame{Dir: platform.Ingress, Data: hosttest.Ethernet(hosttest.Broadcast(), sender, 0x0800, hosttest.IPv4(fmt.Sprintf("10.40.122.%d", 130+i), "10.40.122.255", 17, 0,
			hosttest.UDP(4700, 4700, []byte("\x0bMSH|^~\\&|App|Site|||||ORU^R01|1|P|2.6\rSFT|Maker|1|"+words[name]+"|1\r\x1c\r"))))})
	}
	leaky := spill(t, words, k.frames)
	for name, word := range words {
		if find(leaky[name], word) == "" {
			t.Errorf("%s: what was let into it is not found in %d bytes", name, len(leaky[name]))
		}
	}
}
