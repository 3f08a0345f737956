package rig

import (
	"testing"

	"github.com/google/nftables"
)

// flushRuleset removes every table of the namespace, as `nft flush ruleset` does.
func flushRuleset(t testing.TB) {
	t.Helper()
	conn, err := nftables.New()
	if err != nil {
		t.Fatalf("rig: open nftables: %v", err)
	}
	conn.FlushRuleset()
	if err := conn.Flush(); err != nil {
		t.Fatalf("rig: flush ruleset: %v", err)
	}
}

// FlushRuleset plays the stranger: it removes all tables behind everyone's back.
func (r *Rig) FlushRuleset() {
	r.t.Helper()
	flushRuleset(r.t)
}
