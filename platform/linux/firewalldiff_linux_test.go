package linux

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// stillClock is a clock for a fake in which no time passes.
type stillClock struct{}

func (stillClock) Now() time.Time      { return time.Unix(1_800_000_000, 0) }
func (stillClock) Mono() time.Duration { return time.Hour }
func (stillClock) Synced() bool        { return true }
func (stillClock) BootID() string      { return "test" }

// everyBit is a table that counts, for each field, the packets that have it, and
// for each bit of it those in which it is set.
func everyBit() platform.Table {
	var rules []platform.Rule
	for f := platform.MetaProtocol; f.Len() > 0; f++ {
		if f == platform.ICMPv6Type || f == platform.ARPOp {
			continue // the same bytes as another field
		}
		zero := string(make([]byte, f.Len()))
		count := func(op platform.Op, mask string) {
			rules = append(rules, platform.Rule{Counter: true, Matches: []platform.Match{
				{Fields: []platform.Field{f}, Op: op, Mask: mask, Value: zero},
			}})
		}
		count(platform.OpEq, zero)
		for bit := range 8 * f.Len() {
			mask := make([]byte, f.Len())
			mask[bit/8] = 0x80 >> (bit % 8)
			count(platform.OpNeq, string(mask))
		}
	}
	jump := platform.Rule{Verdict: platform.Verdict{Kind: platform.Jump, Chain: "bits"}}
	return platform.Table{Family: platform.FamilyBridge, Name: "bench", Chains: []platform.Chain{
		{Name: "bits", Rules: rules},
		{Name: "forward", Hook: &platform.Hook{Point: platform.HookForward, Priority: -200}, Rules: []platform.Rule{
			// Flooded copies differ in nothing else.
			{Matches: []platform.Match{{Fields: []platform.Field{platform.MetaOIFName}, Op: platform.OpNeq, Value: platform.NameKey(hosttest.Ward2)}}, Verdict: platform.Verdict{Kind: platform.Accept}},
			jump,
		}},
		{Name: "prerouting", Hook: &platform.Hook{Point: platform.HookPrerouting, Priority: -300}, Rules: []platform.Rule{jump}},
	}}
}

// TestFakeReadsAsTheKernel sends random odd frames through the kernel and the
// fake, and compares what each read of every field, bit by bit.
// WARDKEEPER_FRAMES asks for more frames, WARDKEEPER_SEED for other ones, and
// WARDKEEPER_BATCH=1 for a look at the counters after each of them.
func TestFakeReadsAsTheKernel(t *testing.T) {
	frames := fromEnv(t, "WARDKEEPER_FRAMES", 300)
	seed := fromEnv(t, "WARDKEEPER_SEED", 1)
	batch := fromEnv(t, "WARDKEEPER_BATCH", 50)
	kernel := openRig(t, 0, false)
	bridge := fake.NewBridge(fake.NewFirewall(stillClock{}), nil, hosttest.Ports()...)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	both := []hosttest.Rig{kernel, bridge}
	clients := []platform.Firewall{kernel.Firewall(), bridge.Firewall()}
	for i := range frames {
		frame := oddFrame(random)
		var read [2]platform.Table
		for at, rig := range both {
			if i == 0 {
				if err := clients[at].Apply(t.Context(), everyBit().Load()); err != nil {
					t.Fatal(err)
				}
			}
			rig.Send(hosttest.Ward1, frame)
		}
		want := bridge.Receive(hosttest.Ward2, 0)
		wait := 20 * time.Millisecond
		if want != nil {
			wait = 2 * time.Second
		}
		if got := kernel.Receive(hosttest.Ward2, wait); !bytes.Equal(got, want) {
			t.Fatalf("frame %d: the kernel forwards\n%sthe fake\n%sof\n%s", i, hex.Dump(got), hex.Dump(want), hex.Dump(frame))
		}
		if (i+1)%batch != 0 && i+1 != frames {
			continue
		}
		for at := range both {
			var err error
			if read[at], err = clients[at].Read(t.Context(), platform.FamilyBridge, "bench"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(read[0], read[1]); diff != "" {
			t.Fatalf("after frame %d (seed %d): kernel -, fake +:\n%s\n%s", i, seed, diff, hex.Dump(frame))
		}
	}
}

func fromEnv(t *testing.T, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// oddFrame is a sound frame that met with some accidents.
func oddFrame(r *rand.Rand) []byte {
	payload := make([]byte, r.IntN(60))
	for i := range payload {
		payload[i] = byte(r.Uint32())
	}
	l4 := []func() (uint8, []byte){
		func() (uint8, []byte) { return 17, hosttest.UDP(uint16(r.Uint32()), 53, payload) },
		func() (uint8, []byte) {
			return 6, append(hosttest.TCP(443, uint16(r.Uint32()), byte(r.Uint32())), payload...)
		},
		func() (uint8, []byte) { return 1, hosttest.ICMP(byte(r.IntN(20)), 0, payload) },
		func() (uint8, []byte) { return 58, hosttest.ICMP(byte(128+r.IntN(10)), 0, payload) },
		func() (uint8, []byte) { return byte(r.Uint32()), payload },
	}
	proto, inner := l4[r.IntN(len(l4))]()
	var frame []byte
	dst := [][6]byte{hosttest.MAC(2), hosttest.Broadcast(), {1, 0, 0x5e, 1, 2, 3}, {1, 0x80, 0xc2, 0, 0, byte(r.IntN(18))}}[r.IntN(4)]
	switch r.IntN(8) {
	case 0:
		frame = hosttest.Ethernet(dst, hosttest.MAC(1), 0x0806, hosttest.ARP(uint16(r.IntN(3)), hosttest.MAC(1), "10.0.0.1", hosttest.MAC(2), "10.0.0.2"))
	case 1:
		frame = hosttest.Ethernet(dst, hosttest.MAC(1), uint16(r.Uint32()), payload)
	case 2, 3, 4:
		fragment := []uint16{0, 0, 0x4000, 0x2000, 0x2003, 7, uint16(r.Uint32())}[r.IntN(7)]
		packet := hosttest.IPv4("10.0.0.1", "10.0.0.2", proto, fragment, inner)
		if r.IntN(4) == 0 { // options
			packet = bytes.Join([][]byte{packet[:20], {1, 1, 1, 0}, packet[20:]}, nil)
			packet[0], packet[3] = 0x46, byte(len(packet))
		}
		frame = hosttest.Ethernet(dst, hosttest.MAC(1), 0x0800, packet)
	default:
		for range r.IntN(4) {
			switch r.IntN(5) {
			case 0, 1:
				inner = hosttest.Options(proto, inner)
				proto = []uint8{0, 60, 43}[r.IntN(3)]
			case 2:
				inner, proto = append([]byte{proto, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, inner...), 51
			default:
				inner = hosttest.Fragment(proto, []uint16{0, 1, 8, uint16(r.Uint32())}[r.IntN(4)], inner)
				proto = 44
			}
		}
		frame = hosttest.Ethernet(dst, hosttest.MAC(1), 0x86dd, hosttest.IPv6("fd00::1", "fd00::2", proto, inner))
	}
	for range r.IntN(3) { // a byte goes wrong
		if at := 14 + r.IntN(50); r.IntN(2) == 0 && at < len(frame) {
			frame[at] = byte(r.Uint32())
		}
	}
	switch r.IntN(6) { // too short, or padded
	case 0:
		frame = frame[:14+r.IntN(len(frame)-13)]
	case 1:
		frame = append(frame, payload...)
	}
	for range []int{0, 0, 0, 1, 1, 2}[r.IntN(6)] {
		tpid := []uint16{0x8100, 0x8100, 0x88a8, 0x9100}[r.IntN(4)]
		frame = hosttest.Tag(frame, tpid, uint16(r.Uint32()))
	}
	return frame
}
