package behave

import (
	"bytes"
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

// talk is a conversation with what is only needed here.
type talk struct {
	device.Conversation
	used uint64 // by the count of Adds: the order of use, whatever the clock did
	news bool   // changed since the last News
}

// Conversations are those of one device. The zero value is empty.
type Conversations struct {
	byKey map[key]*talk
	adds  uint64
	// Evicted counts conversations that gave way to newer ones.
	Evicted uint64
}

// Add sums a flow delta. It reports whether a conversation is new or was
// answered for the first time, more than counts.
func (c *Conversations) Add(f fact.Flow) bool {
	if c.byKey == nil {
		c.byKey = make(map[key]*talk)
	}
	k := keyOf(f.PeerIP, f.Peer, f.Service)
	t, ok := c.byKey[k]
	if !ok {
		c.makeRoom()
		t = &talk{Conversation: device.Conversation{Peer: f.PeerIP, Service: f.Service, Opener: fact.OpenerUnknown, First: utc(f.First)}}
		c.byKey[k] = t
	}
	news := !ok || f.Answered && !t.Answered
	if t.Opener == fact.OpenerUnknown && f.Opener != 0 {
		t.Opener = f.Opener
	}
	c.adds++
	t.used, t.news = c.adds, true
	t.PeerMAC = f.Peer
	t.Answered = t.Answered || f.Answered
	t.PacketsFrom += f.PacketsFrom
	t.BytesFrom += f.BytesFrom
	t.PacketsTo += f.PacketsTo
	t.BytesTo += f.BytesTo
	t.Last = utc(f.Last)
	return news
}

// makeRoom evicts one conversation when the device has its most: one that was
// only attempted before one that was answered, the longest silent first. A
// scanner must not push out what a device really does.
func (c *Conversations) makeRoom() {
	if len(c.byKey) < device.MaxConversations {
		return
	}
	var worst key
	var w *talk
	for k, t := range c.byKey {
		if w == nil || (!t.Answered && w.Answered) || (t.Answered == w.Answered && t.used < w.used) {
			worst, w = k, t
		}
	}
	delete(c.byKey, worst)
	c.Evicted++
}

// Restore puts back what List returned before a restart, as the least used
// ones, the longest silent first.
func (c *Conversations) Restore(list []device.Conversation) {
	list = slices.SortedFunc(slices.Values(list), func(a, b device.Conversation) int { return b.Last.Compare(a.Last) })
	list = list[:min(len(list), device.MaxConversations)]
	c.byKey = make(map[key]*talk, len(list))
	for i := range slices.Backward(list) {
		v := &list[i]
		c.adds++
		c.byKey[keyOf(v.Peer, v.PeerMAC, v.Service)] = &talk{Conversation: *v, used: c.adds}
	}
}

// List copies the conversations, most bytes first.
func (c *Conversations) List() []device.Conversation { return c.list(func(*talk) bool { return true }) }

// News lists those that changed since the last News, most bytes first.
func (c *Conversations) News() []device.Conversation {
	return c.list(func(t *talk) bool {
		news := t.news
		t.news = false
		return news
	})
}

func (c *Conversations) list(want func(*talk) bool) []device.Conversation {
	out := make([]device.Conversation, 0, len(c.byKey))
	for _, t := range c.byKey {
		if want(t) {
			out = append(out, t.Conversation)
		}
	}
	slices.SortFunc(out, func(a, b device.Conversation) int {
		return cmp.Or(cmp.Compare(b.BytesFrom+b.BytesTo, a.BytesFrom+a.BytesTo), a.Peer.Compare(b.Peer),
			cmp.Compare(a.Service.EtherType, b.Service.EtherType), cmp.Compare(a.Service.Proto, b.Service.Proto),
			cmp.Compare(a.Service.Port, b.Service.Port), bytes.Compare(a.PeerMAC[:], b.PeerMAC[:]))
	})
	return out
}

func utc(ns int64) time.Time { return time.Unix(0, ns).UTC() }
