package fake

import (
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Bridge is a bridge over some ports in front of a Firewall, as hosttest.Rig
// wants it: it floods, and forwards EAPOL and LLDP.
type Bridge struct {
	firewall *Firewall
	ports    []string
	advance  func(time.Duration)
	sent     map[string][][]byte
}

// NewBridge bridges the ports. Advance moves the clock of the firewall.
func NewBridge(firewall *Firewall, advance func(time.Duration), ports ...string) *Bridge {
	return &Bridge{firewall: firewall, ports: ports, advance: advance, sent: map[string][][]byte{}}
}

// Firewall is another client of the bridge's packet filter.
func (b *Bridge) Firewall() platform.Firewall { return b.firewall.Peer() }

// Send lets a frame come in at a port.
func (b *Bridge) Send(port string, frame []byte) {
	b.firewall.kernel.mu.Lock()
	defer b.firewall.kernel.mu.Unlock()
	p, ok := parsePacket(frame)
	if !ok || !forwards(p.link) {
		return
	}
	p.in = port
	if !b.firewall.kernel.hook(platform.HookPrerouting, p).Accepted {
		return
	}
	for _, out := range b.ports {
		if out == port {
			continue
		}
		p.out = out
		if b.firewall.kernel.hook(platform.HookForward, p).Accepted {
			b.sent[out] = append(b.sent[out], append([]byte(nil), frame...))
		}
	}
}

// forwards is what br_handle_frame asks: no frame with a group address as its
// source, and of the reserved addresses 01-80-C2-00-00-0x only -00 (there is no
// spanning tree), -03 and -0E.
func forwards(link []byte) bool {
	source := false
	for _, c := range link[6:12] {
		source = source || c != 0
	}
	if !source || link[6]&1 != 0 {
		return false
	}
	if string(link[:5]) != "\x01\x80\xc2\x00\x00" || link[5] > 0xf {
		return true
	}
	return link[5] == 0 || link[5] == 3 || link[5] == 0xe
}

// Receive returns the next frame sent out of a port. Nothing comes later in
// memory, so it does not wait.
func (b *Bridge) Receive(port string, _ time.Duration) []byte {
	b.firewall.kernel.mu.Lock()
	defer b.firewall.kernel.mu.Unlock()
	queue := b.sent[port]
	if len(queue) == 0 {
		return nil
	}
	b.sent[port] = queue[1:]
	return queue[0]
}

// Advance lets the time pass.
func (b *Bridge) Advance(d time.Duration) { b.advance(d) }
