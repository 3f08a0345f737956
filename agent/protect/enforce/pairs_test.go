package enforce

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// TestOldPairsAreNotCrowdedOut: whoever makes up devices to have more pairs than
// are kept pushes none of the old ones out, however their ids sort.
func TestOldPairsAreNotCrowdedOut(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.stop = nil
		old := slices.Clone(w.task.pairs)
		all := slices.Clone(old)
		for i := range maxPairs + 10 {
			m := fact.MAC{0, 0, 0, 1, byte(i >> 8), byte(i)} // before the pump's
			all = append(all, policy.Pair{Device: device.IDOf(m), MAC: m, Peer: "pump-server", Addr: netip.MustParseAddr("10.20.3.5")})
		}
		slices.SortFunc(all, func(a, b policy.Pair) int { return slices.Compare([]byte(a.Device), []byte(b.Device)) })
		w.task.keepPairs(all)
		var k keptPairs
		if err := json.Unmarshal(w.disk[keyPairs], &k); err != nil {
			t.Fatal(err)
		}
		if len(k.Pairs) != maxPairs || len(w.task.pairs) != maxPairs || !slices.Contains(k.Pairs, old[0]) {
			t.Errorf("%d pairs are kept, that of the pump among them: %v", len(k.Pairs), slices.Contains(k.Pairs, old[0]))
		}
		if c := w.board.Conditions(); len(c) != 1 || c[0].Code != "enforce.pairs" {
			t.Errorf("conditions %+v", c)
		}
		before := fmt.Sprint(w.task.pairs)
		w.task.keepPairs(all)
		if fmt.Sprint(w.task.pairs) != before {
			t.Error("other pairs are kept each time")
		}
	})
}
