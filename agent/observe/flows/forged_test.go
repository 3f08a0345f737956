package flows

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// Who outside knows the addresses and sequence numbers of a device's connection
// must not speak in it as the device, and who is on the port not as its peer:
// what is read of a stream becomes facts about its sender.
func TestForgedSegments(t *testing.T) {
	foreign := fact.MAC{2, 0xee, 0, 0, 0, 1}
	forged := func(v *dissect.View, from, to fact.MAC) *dissect.View {
		v.SrcMAC, v.DstMAC = from, to
		return v
	}
	type step struct {
		way Way
		v   *dissect.View
	}
	open := []step{
		{FromDevice, tcp(pump, server, syn, 99, "")}, {ToDevice, tcp(server, pump, syn|ack, 499, "")},
		{FromDevice, tcp(pump, server, ack, 100, "$he")}, {ToDevice, tcp(server, pump, ack, 500, "$wor")},
	}
	honest := []step{{FromDevice, tcp(pump, server, ack, 103, "llo;")}, {ToDevice, tcp(server, pump, ack, 504, "ld;")}}
	tests := []struct {
		name   string
		forged step
	}{
		{"from outside, with the device's MAC", step{ToDevice, forged(tcp(pump, server, ack, 103, "FORGED;"), macOf(pump.ip), macOf(pump.ip))}},
		{"from outside, with another MAC", step{ToDevice, forged(tcp(pump, server, ack, 103, "FORGED;"), foreign, macOf(pump.ip))}},
		{"reset from outside in the device's name", step{ToDevice, forged(tcp(pump, server, rst, 103, ""), foreign, macOf(pump.ip))}},
		{"on the port, as the server", step{FromDevice, forged(tcp(server, pump, ack, 504, "FORGED;"), foreign, macOf(pump.ip))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rd := &reader{}
			table, out := collect(Options{Read: rd})
			for i, s := range append(append(append([]step{}, open...), tt.forged), honest...) {
				table.Frame(s.v, s.way, int64(i), int64(i), 1, 100)
			}
			if diff := cmp.Diff([]string{pump.ip + " hello", server.ip + " world"}, rd.got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			table.Report(sec)
			var mine []brief
			for i, f := range briefs(*out) {
				if (*out)[i].Device == macOf(pump.ip) && f.Device == pump.ip {
					mine = append(mine, f)
				}
			}
			want := []brief{{pump.ip, server.ip, "tcp/443", fact.OpenerDevice, true, false, 3, 3}}
			if diff := cmp.Diff(want, mine); diff != "" {
				t.Errorf("the device's own flow (-want +got):\n%s", diff)
			}
		})
	}
}
