package collect

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// A broker ends although its clients leave in the same moment.
func TestCloseWhileClientsLeave(t *testing.T) {
	for range 20 {
		b, err := Open(netip.MustParseAddr("127.0.0.1"), "s", NewBook(nil))
		if err != nil {
			t.Fatal(err)
		}
		var conns []net.Conn
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			c, err := net.Dial("tcp", b.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
			p.ProtocolName, p.ProtocolVersion, p.ClientIdentifier, p.CleanSession = "MQTT", 4, id, true
			if err := p.Write(c); err != nil {
				t.Fatal(err)
			}
			if _, err := packets.ReadPacket(c); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
		}
		for _, c := range conns {
			go c.Close()
		}
		closed := make(chan struct{})
		go func() { b.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Fatal("the broker does not end")
		}
	}
}
