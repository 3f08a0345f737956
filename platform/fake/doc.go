// Package fake is a host in memory: it keeps every promise of package platform
// without a kernel, tells what would become of a packet, and has knobs for the
// faults a kernel and its hardware show.
//
// It is for tests; nothing of it is linked into the agent. It is meant to be no
// kinder than the real host: package hosttest runs the same cases on both.
package fake
