package behave

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// key tells the conversations of one device apart.
type key struct {
	peer    netip.Addr
	mac     fact.MAC // only where there is no IP
	service fact.Service
}

func keyOf(peer netip.Addr, mac fact.MAC, s fact.Service) key {
	if peer.IsValid() {
		return key{peer: peer, service: s}
	}
	return key{mac: mac, service: s}
}

// Conversations are those of one device. The zero value is empty.
type Conversations struct {
	byKey map[key]*device.Conversation
	// Evicted counts conversations that gave way to newer ones.
	Evicted uint64
}

// Add sums a flow delta.
func (c *Conversations) Add(f fact.Flow) {
	if c.byKey == nil {
		c.byKey = make(map[key]*device.Conversation)
	}
	k := keyOf(f.PeerIP, f.Peer, f.Service)
	conv, ok := c.byKey[k]
	if !ok {
		c.makeRoom()
		conv = &device.Conversation{Peer: f.PeerIP, PeerMAC: f.Peer, Service: f.Service, Opener: f.Opener, First: utc(f.First)}
		c.byKey[k] = conv
	}
	if conv.Opener == fact.OpenerUnknown {
		conv.Opener = f.Opener
	}
	conv.PeerMAC = f.Peer
	conv.Answered = conv.Answered || f.Answered
	conv.PacketsFrom += f.PacketsFrom
	conv.BytesFrom += f.BytesFrom
	conv.PacketsTo += f.PacketsTo
	conv.BytesTo += f.BytesTo
	conv.Last = later(conv.Last, utc(f.Last))
}

// makeRoom evicts one conversation when the device has its most: one that was
// only attempted before one that was answered, the longest silent first. A
// scanner must not push out what a device really does.
func (c *Conversations) makeRoom() {
	if len(c.byKey) < device.MaxConversations {
		return
	}
	var worst key
	var w *device.Conversation
	for k, v := range c.byKey {
		if w == nil || (!v.Answered && w.Answered) || (v.Answered == w.Answered && v.Last.Before(w.Last)) {
			worst, w = k, v
		}
	}
	delete(c.byKey, worst)
	c.Evicted++
}

// Restore puts back what List returned before a restart.
func (c *Conversations) Restore(list []device.Conversation) {
	c.byKey = make(map[key]*device.Conversation, len(list))
	for _, v := range list {
		if len(c.byKey) < device.MaxConversations {
			c.byKey[keyOf(v.Peer, v.PeerMAC, v.Service)] = &v
		}
	}
}

// List copies the conversations, most bytes first.
func (c *Conversations) List() []device.Conversation {
	out := make([]device.Conversation, 0, len(c.byKey))
	for _, v := range c.byKey {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b device.Conversation) int {
		return cmp.Or(cmp.Compare(b.BytesFrom+b.BytesTo, a.BytesFrom+a.BytesTo), a.Peer.Compare(b.Peer),
			cmp.Compare(a.Service.String(), b.Service.String()), cmp.Compare(a.PeerMAC.String(), b.PeerMAC.String()))
	})
	return out
}

func utc(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
