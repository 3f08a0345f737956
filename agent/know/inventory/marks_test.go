package inventory

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// pinnedFirst judges as the classifier does: a person's word wins.
type pinnedFirst struct{ byHostname }

func (p pinnedFirst) Classify(d device.Device, since time.Duration) device.Identity {
	if d.Pin != nil {
		return device.Identity{Role: d.Pin.Role, Class: device.Other, Confidence: device.Confirmed, Pinned: true}
	}
	return p.byHostname.Classify(d, since)
}

// Marks belong to a device and its site: they are there before it is, they
// outlive a restart, and what a restart knows nothing of stays.
func TestMarks(t *testing.T) {
	const id = "00:09:fb:01:02:03"
	pump := map[device.ID]device.Marks{id: {Pin: &device.Pin{Role: "infusion-pump-lvp", By: "alice", Reason: "label"}, Tags: []string{"icu"}}}
	seen := func(b *Book, sec int) {
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "10.0.0.5", sec)}, Facts: []fact.Fact{hostname(philips, "printer", sec)}}, stamp(sec))
		b.Settle(stamp(sec))
	}
	says := func(b *Book) string {
		d := b.Snapshot().Find(id)
		return string(d.Identity.Role) + " " + strings.Join(d.Tags, ",")
	}
	room := memory{}
	book := func() *Book { return NewBook(DefaultLimits(), pinnedFirst{}, oneVendor{}, nil) }

	var got []string
	b := book()
	b.SetMarks(pump)
	seen(b, 10)
	got = append(got, "marked before it came: "+says(b))
	if err := b.SaveAll(room); err != nil {
		t.Fatal(err)
	}

	b = book()
	if _, err := b.Load(room); err != nil {
		t.Fatal(err)
	}
	seen(b, 20)
	got = append(got, "nobody knows the marks: "+says(b))
	b.SetMarks(pump)
	got = append(got, "the same marks: "+says(b))
	b.SetMarks(nil)
	if !b.Settle(stamp(21)) {
		t.Error("no news where the marks were taken away")
	}
	got = append(got, "taken away: "+says(b))

	b = book()
	b.SetMarks(map[device.ID]device.Marks{})
	if _, err := b.Load(room); err != nil {
		t.Fatal(err)
	}
	b.Settle(stamp(30))
	got = append(got, "taken away meanwhile: "+says(b))

	want := []string{"marked before it came: infusion-pump-lvp icu", "nobody knows the marks: infusion-pump-lvp icu",
		"the same marks: infusion-pump-lvp icu", "taken away: printer ", "taken away meanwhile: printer "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
