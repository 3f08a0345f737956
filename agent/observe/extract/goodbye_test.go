package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// TestGoodbye: a device that says goodbye leaves, but not on the word of another.
func TestGoodbye(t *testing.T) {
	group := end{fact.MAC{1, 0, 0x5e, 0x7f, 0xff, 0xfa}, at(0, "239.255.255.250", 3702).ip, 3702}
	const uuid = "urn:uuid:00000000-0000-1000-8000-0009fb000001"
	for address, want := range map[string][]string{
		pump.ip.String(): {"1 wsd.endpoint " + uuid, "1 wsd.leaves yes", "1 wsd.xaddrs http://" + pump.ip.String() + ":80/"},
		"198.51.100.7":   nil,
	} {
		bye := soap("<d:Bye><a:EndpointReference><a:Address>" + uuid + "</a:Address></a:EndpointReference><d:XAddrs>http://" + address + ":80/</d:XAddrs></d:Bye>")
		got := lines(run(platform.Ingress, udp(end{pump.mac, pump.ip, 3702}, group, bye)).Facts)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", address, d)
		}
	}
}
