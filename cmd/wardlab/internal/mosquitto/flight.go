package mosquitto

import (
	"sync"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// flight is what one connection through a Tap has under way.
type flight struct {
	tap  *Tap
	over chan struct{} // closed: the publisher is gone
	hole bool          // of up's goroutine: packets were swallowed, so all that follow are

	mu   sync.Mutex
	open map[uint16]Message // by packet identifier
}

// up notes what goes to the broker, and swallows it if the tap does.
func (f *flight) up(p packets.ControlPacket) bool {
	f.hole = f.hole || f.tap.swallows()
	if m, ok := p.(*packets.PublishPacket); ok && m.Qos == 1 {
		msg := Message{m.TopicName, m.Payload}
		f.mu.Lock()
		f.open[m.MessageID] = msg
		f.mu.Unlock()
		f.tap.count(1)
		f.tap.sent(msg)
	}
	return !f.hole
}

// down notes what comes from the broker, and waits while the tap holds.
func (f *flight) down(p packets.ControlPacket) bool {
	ack, _ := p.(*packets.PubackPacket)
	if ack != nil {
		f.mu.Lock()
		msg, known := f.open[ack.MessageID]
		f.mu.Unlock()
		if known {
			f.tap.acked(msg)
		}
	}
	select {
	case <-f.tap.released():
	case <-f.over:
		return false
	}
	if ack == nil {
		return true
	}
	// Before it goes on: the publisher may use the identifier again at once.
	f.mu.Lock()
	_, known := f.open[ack.MessageID]
	delete(f.open, ack.MessageID)
	f.mu.Unlock()
	if known {
		f.tap.count(-1)
	}
	return true
}

// end forgets what was under way.
func (f *flight) end() {
	f.mu.Lock()
	n := len(f.open)
	f.open = map[uint16]Message{}
	f.mu.Unlock()
	f.tap.count(-n)
}

func (t *Tap) count(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flights += n
}
