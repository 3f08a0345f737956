package lab

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

func TestDropped(t *testing.T) {
	drop, back := platform.Verdict{Kind: platform.Drop}, platform.Verdict{Kind: platform.Return}
	table := platform.Table{Chains: []platform.Chain{
		{Name: "claim_drop", Rules: []platform.Rule{{Log: &platform.Log{}}, {Counter: true, Verdict: drop, Packets: 3}}},
		{Name: "drop_leave_printers_4", Rules: []platform.Rule{{Counter: true, Verdict: drop, Packets: 5}}},
		{Name: "drop_leave_printers_5", Rules: []platform.Rule{{Counter: true, Verdict: drop, Packets: 2}}},
		{Name: "stage_leave_cameras_5", Rules: []platform.Rule{{Counter: true, Verdict: back, Packets: 9}}},
		{Name: "forward", Rules: []platform.Rule{{Verdict: drop}}},
	}}
	want := map[string]uint64{"claim_drop": 3, "drop_leave_printers": 7}
	if diff := cmp.Diff(want, dropped(table)); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}
