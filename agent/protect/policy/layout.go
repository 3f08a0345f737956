package policy

import (
	"strconv"
	"strings"
)

// Names in the kernel. What ends in _N belongs to generation N; the rest is the
// base, which outlives generations.
const (
	TableName = "wardkeeper"
	LogGroup  = 77 // NFLOG group

	ChainForward    = "forward"    // the base chain: its order is the safety case
	ChainCare       = "care"       // L2 housekeeping of exempt devices
	ChainQuarantine = "quarantine" // devices that are cut off
	ChainConfirmed  = "confirmed"  // jumps to the generation in force

	SetOpenAll    = "open_all"    // break-glass: the gateway
	SetOpenPort   = "open_port"   // break-glass: a port
	SetOpenDevice = "open_device" // break-glass: a device
	MapTrial      = "trial_until" // a trial generation, as a timed element
)

// layoutVersion is part of what a generation is known by: another compiler
// makes other rules of the same policy.
const layoutVersion = 1

// priority is that of `priority filter` in the bridge family. At 0 the kernel
// silently passes by the chain for IP once br_netfilter is active.
const priority = -200

// Logging of denied packets: samples, never all of them.
const (
	logPerSecond = 50
	logBurst     = 100
	logSnaplen   = 96 // bytes from layer 3: the headers
)

// EtherTypes.
const (
	etherIPv4  = 0x0800
	etherARP   = 0x0806
	etherIPv6  = 0x86dd
	etherEAPOL = 0x888e // IEEE 802.1X
	etherLLDP  = 0x88cc // IEEE 802.1AB
	etherPTP   = 0x88f7 // IEEE 1588
)

// tags are the EtherTypes of VLAN tags: 802.1Q, 802.1ad, and one from before it.
func tags() []uint16 { return []uint16{0x8100, 0x88a8, 0x9100} }

// arphrdEther is the type of every bridge port (ARPHRD_ETHER): a field that is
// always the same matches everything, through a set that may expire.
const arphrdEther = 1

// gen is a name of a generation.
func gen(name string, n uint64) string { return name + "_" + strconv.FormatUint(n, 10) }

// genOf is the generation that a name belongs to, 0 for the base.
func genOf(name string) uint64 {
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		return 0
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 64)
	if err != nil || name[i+1:] != strconv.FormatUint(n, 10) {
		return 0
	}
	return n
}

// way names the direction of packets: To, they leave the device; From, they
// reach it.
func way(d Direction) string {
	if d == To {
		return "leave"
	}
	return "reach"
}

// verdictChain is the chain of packets that a segment does not allow.
func verdictChain(m Mode, d Direction, segment string) string {
	what := "stage"
	if m == Enforce {
		what = "drop"
	}
	return what + "_" + way(d) + "_" + strings.ReplaceAll(segment, "-", "_")
}
