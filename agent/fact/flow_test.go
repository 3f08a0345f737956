package fact

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFlowAdd(t *testing.T) {
	a := Flow{Device: MAC{2, 1}, DeviceIP: netip.MustParseAddr("192.0.2.1"), Peer: MAC{2, 8}, PeerIP: netip.MustParseAddr("192.0.2.9"),
		Service: Service{0x0800, 6, 443}, Opener: OpenerUnknown, Ended: true, PacketsFrom: 1, BytesFrom: 60, PacketsTo: 2, BytesTo: 120, First: 20, Last: 30}
	b := a
	b.DeviceIP, b.Peer, b.Opener, b.Answered, b.Ended, b.First, b.Last = netip.MustParseAddr("192.0.2.2"), MAC{2, 7}, OpenerDevice, true, false, 10, 25
	want := Flow{Device: a.Device, DeviceIP: b.DeviceIP, Peer: b.Peer, PeerIP: a.PeerIP, Service: a.Service, Opener: OpenerDevice, Answered: true,
		PacketsFrom: 2, BytesFrom: 120, PacketsTo: 4, BytesTo: 240, First: 10, Last: 30}
	sum := a
	sum.Add(&b)
	if diff := cmp.Diff(want, sum, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
}
