package policy

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// A kernel that drops overlapping ranges without a word (6.1) has nothing of
// ours to drop, because they are made disjoint; one range more, laid over
// another, shows that the fault is real.
func TestOverlapLostTakesNothing(t *testing.T) {
	want := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()).Table(1)
	load := func(table platform.Table) platform.Table {
		h := fake.New()
		h.Firewall.Inject(fake.OverlapLost)
		if err := h.Firewall.Apply(t.Context(), table.Load()); err != nil {
			t.Fatal(err)
		}
		if p := h.Firewall.Pending(); len(p) > 0 {
			t.Fatalf("faults %v did not happen", p)
		}
		got, err := h.Firewall.Read(t.Context(), want.Family, want.Name)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(want.Static(), load(want).Static()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}

	careless := want
	careless.Sets = slices.Clone(want.Sets)
	at := slices.IndexFunc(careless.Sets, func(s platform.Set) bool {
		return s.Interval && slices.ContainsFunc(s.Elements, func(e platform.Element) bool { return e.Key != e.KeyEnd && e.KeyEnd != "" })
	})
	if at < 0 {
		t.Fatal("no set of ranges")
	}
	set := &careless.Sets[at]
	wide := set.Elements[slices.IndexFunc(set.Elements, func(e platform.Element) bool { return e.Key != e.KeyEnd && e.KeyEnd != "" })]
	wide.KeyEnd = wide.Key // a point within the range
	set.Elements = append(slices.Clone(set.Elements), wide)
	if got := load(careless); cmp.Equal(careless.Canonical().Static(), got.Static()) {
		t.Error("an overlapping range is stored: the fault takes nothing, the test proves nothing")
	}
}
