package behave

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

func flow(peer string, port uint16, at int64, answered bool, bytes uint64) fact.Flow {
	return fact.Flow{PeerIP: netip.MustParseAddr(peer), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: port},
		Opener: fact.OpenerDevice, Answered: answered, PacketsFrom: 1, BytesFrom: bytes, First: at, Last: at}
}

func TestAddSums(t *testing.T) {
	var c Conversations
	c.Add(flow("10.0.0.1", 443, 1e9, false, 100))
	f := flow("10.0.0.1", 443, 2e9, true, 50)
	f.PacketsTo, f.BytesTo = 2, 700
	c.Add(f)
	want := []device.Conversation{{Peer: netip.MustParseAddr("10.0.0.1"), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443},
		Opener: fact.OpenerDevice, Answered: true, PacketsFrom: 2, BytesFrom: 150, PacketsTo: 2, BytesTo: 700,
		First: time.Unix(1, 0).UTC(), Last: time.Unix(2, 0).UTC()}}
	if diff := cmp.Diff(want, c.List(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("conversations (-want +got):\n%s", diff)
	}
}

// A scan must not push out what the device really does.
func TestScanStaysWithinBounds(t *testing.T) {
	var c Conversations
	c.Add(flow("10.0.0.1", 443, 1e9, true, 100))
	for i := range 10_000 {
		c.Add(flow("10.0.0.2", uint16(i), int64(i+2)*1e9, false, 60))
	}
	list := c.List()
	if len(list) != device.MaxConversations {
		t.Fatalf("%d conversations kept, want %d", len(list), device.MaxConversations)
	}
	if list[0].Service.Port != 443 || list[0].Peer != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("the answered conversation is gone; first is %v", list[0])
	}
	if want := uint64(10_001 - device.MaxConversations); c.Evicted != want {
		t.Errorf("evicted %d, want %d", c.Evicted, want)
	}
	var back Conversations
	back.Restore(list)
	if diff := cmp.Diff(list, back.List(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
}

// A clock set back must not freeze the order of use: what is done now stays,
// what is stamped with a future that never came goes.
func TestClockSetBack(t *testing.T) {
	var c Conversations
	const year = int64(365 * 24 * 3600e9)
	for i := range device.MaxConversations {
		c.Add(flow("10.0.0.2", uint16(i), 60*year, true, 60))
	}
	for i := range 10 {
		c.Add(flow("10.0.0.3", uint16(i), 50*year+int64(i), true, 60))
	}
	n := 0
	for _, v := range c.List() {
		if v.Peer == netip.MustParseAddr("10.0.0.3") {
			n++
		}
	}
	if n != 10 {
		t.Errorf("%d of the 10 newest conversations kept", n)
	}
	c.Add(flow("10.0.0.2", device.MaxConversations-1, 51*year, true, 60))
	for _, v := range c.List() {
		if v.Service.Port == device.MaxConversations-1 && !v.Last.Equal(utc(51*year)) {
			t.Errorf("last seen %v, want the time of the last frame", v.Last)
		}
	}
}

func TestNews(t *testing.T) {
	var c Conversations
	if !c.Add(flow("10.0.0.1", 443, 1e9, false, 1)) || c.Add(flow("10.0.0.1", 443, 2e9, false, 1)) || !c.Add(flow("10.0.0.1", 443, 3e9, true, 1)) {
		t.Error("new and first answered are news, counts are not")
	}
	c.Add(flow("10.0.0.2", 80, 1e9, false, 1))
	if n := len(c.News()); n != 2 {
		t.Errorf("%d news, want 2", n)
	}
	c.Add(flow("10.0.0.2", 80, 2e9, false, 1))
	if got := c.News(); len(got) != 1 || got[0].Service.Port != 80 {
		t.Errorf("news %v, want tcp/80 alone", got)
	}
}

// A flow without an opener must not make a record that cannot be read back.
func TestOpenerIsAlwaysNamed(t *testing.T) {
	var c Conversations
	f := flow("10.0.0.1", 443, 1e9, false, 1)
	f.Opener = 0
	c.Add(f)
	if got := c.List()[0].Opener; got != fact.OpenerUnknown {
		t.Errorf("opener %v", got)
	}
}

// The list is made for every device at every snapshot.
func BenchmarkList(b *testing.B) {
	var c Conversations
	for i := range device.MaxConversations {
		c.Add(flow("10.0.0.2", uint16(i), 1, true, 60))
	}
	for b.Loop() {
		c.List()
	}
}
