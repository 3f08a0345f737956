// Package witness counts frames on the hosts' own cards: what a clinical device
// sent and its peer received, what an intruder got through to whom, and which
// forged address claims arrived. It is the lab's own evidence, taken where the
// gateway cannot colour it.
package witness
