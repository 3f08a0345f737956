package policy

import (
	"context"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// TestNothingForEver: a timeout of less than a tick of the kernel's clock is none
// to it (before 6.12), and 0 is none to all: what has next to no time left when it
// is put in again must not stay for ever.
func TestNothingForEver(t *testing.T) {
	const tick = 10 // ms: the slowest clock that kernels have, 100 Hz
	for _, left := range []time.Duration{0, 1, time.Microsecond, time.Millisecond, 9 * time.Millisecond} {
		q := cut(printerMAC, true)
		q.Left = left
		for name, steps := range map[string][]platform.Step{
			"open":            Open(Gateway(left)).Steps,
			"quarantine":      QuarantineChange(q).Steps,
			"quarantine laid": BaseSteps(compileLab(t).Quarantined([]Quarantine{q}).Table(1)),
		} {
			n := 0
			for _, s := range steps {
				var list []platform.Element
				switch {
				case s.RenewElements != nil:
					list = s.RenewElements.Elements
				case s.AddSet != nil && s.AddSet.Timeout:
					list = s.AddSet.Elements
				}
				for _, e := range list {
					if n++; e.Timeout < tick {
						t.Errorf("%s with %s left: a timeout of %d ms", name, left, e.Timeout)
					}
				}
			}
			if n == 0 {
				t.Errorf("%s: no element", name)
			}
		}
	}
}

// TestReleaseInParts: what is put in only so that it can be taken out ends by
// itself, should the agent die between the two.
func TestReleaseInParts(t *testing.T) {
	base := compileLab(t)
	long := cut(printerMAC, true)
	long.Left = 7 * 24 * time.Hour
	fw, clock := loadFake(t, base.Quarantined([]Quarantine{long}).Table(1))
	d := Diff(readBack(t, fw), base.Table(1))
	clock.mono += 8 * 24 * time.Hour // it has expired meanwhile
	for _, s := range d.Open {
		if s.AddElements == nil {
			continue
		}
		if err := fw.Apply(context.Background(), platform.Change{Family: platform.FamilyBridge, Table: TableName, Steps: []platform.Step{s}}); err != nil {
			t.Fatal(err)
		}
	}
	clock.mono += time.Second
	if q := QuarantinesIn(readBack(t, fw)); len(q) > 0 {
		t.Errorf("quarantined without anybody's doing: %+v", q)
	}
}
