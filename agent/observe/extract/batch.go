package extract

import (
	"hash/maphash"
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// who is the device that a fact is about.
type who struct {
	mac  fact.MAC
	ip   netip.Addr // invalid if none
	vlan uint16
	ours bool // a device of ours: facts may be stated about it
	time int64
}

// source is the sender of a frame.
func (x *Extractor) source(v *dissect.View, way flows.Way) who {
	return who{mac: v.SrcMAC, ip: unicast(v.SrcAddr()), vlan: v.VLAN, ours: way != flows.ToDevice, time: x.wall}
}

// target is the receiver of a frame.
func (x *Extractor) target(v *dissect.View, way flows.Way) who {
	return who{mac: v.DstMAC, ip: unicast(v.DstAddr()), vlan: v.VLAN, ours: way != flows.FromDevice && !v.Group(), time: x.wall}
}

// collector states that the receiver of a frame takes what a device sends. Anyone can
// be sent something: who never spoke to the device does not count.
func (x *Extractor) collector(v *dissect.View, way flows.Way, kind fact.Kind) {
	if x.answered {
		x.yes(x.target(v, way), kind)
	}
}

// unicast leaves out what is no host's address.
func unicast(a netip.Addr) netip.Addr {
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return a
}

// state adds a fact, unless the same was stated a moment ago. Its text is
// copied.
func (x *Extractor) state(w who, kind fact.Kind, text []byte) {
	if !w.ours || len(text) == 0 {
		return
	}
	b := append(x.scratch[:0], w.mac[:]...)
	if w.ip.IsValid() {
		ip := w.ip.As16()
		b = append(b, ip[:]...)
	}
	b = append(b, 0)
	b = append(append(append(b, kind...), 0), text...)
	x.scratch = b
	said := maphash.Bytes(x.seed, b)
	if !x.stated.due(said, x.now, stateEvery) || !x.may(&x.quotas.facts, w.mac) {
		return
	}
	x.stated.note(said, x.now)
	value, ok := fact.New(kind, string(text))
	if !ok {
		return
	}
	// Among thousands of MACs that come and go the sighting of a new device may
	// have been withheld: one that says something is sighted first, for of
	// devices that it has not seen the inventory takes no facts.
	if !x.whole && !x.resident.has(x.hash(w.mac)) {
		x.see(fact.Sighting{MAC: w.mac, IP: w.ip, VLAN: w.vlan, Time: w.time})
	}
	x.batch.Facts = append(x.batch.Facts, fact.Fact{MAC: w.mac, IP: w.ip, VLAN: w.vlan, Kind: kind, Value: value, Time: w.time})
	x.stats.Facts++
	if len(x.batch.Facts) >= maxBatch {
		x.flush()
	}
}

// say states a sanitised text.
func (x *Extractor) say(w who, kind fact.Kind, t *dissect.Text) {
	if w.ours && !t.IsZero() {
		x.text = t.AppendTo(x.text[:0])
		x.state(w, kind, x.text)
	}
}

// yes states that the device does something.
func (x *Extractor) yes(w who, kind fact.Kind) { x.word(w, kind, "yes") }

// word states a word of ours, if there is one.
func (x *Extractor) word(w who, kind fact.Kind, word string) {
	x.text = append(x.text[:0], word...)
	x.state(w, kind, x.text)
}

// sight notes the sender of a frame, at most once a second for each address.
func (x *Extractor) sight(v *dissect.View) {
	mac := fact.MAC(v.SrcMAC)
	if mac.Group() {
		return
	}
	x.resident.renew(x.hash(mac), x.now)
	ip := unicast(v.SrcAddr())
	if v.Network == dissect.NetworkARP && v.ARP.SenderHW == v.SrcMAC && !v.ARP.Probe() {
		ip = unicast(netip.AddrFrom4(v.ARP.SenderIP))
	}
	if !v.HasSrcMAC && !ip.IsValid() {
		return
	}
	b := append(x.scratch[:0], mac[:]...)
	if ip.IsValid() {
		a := ip.As16()
		b = append(b, a[:]...)
	}
	x.scratch = b
	said := maphash.Bytes(x.seed, b)
	if !x.sighted.due(said, x.now, reportEvery) || !x.may(&x.quotas.sightings, mac) {
		return
	}
	x.sighted.note(said, x.now)
	x.see(fact.Sighting{MAC: mac, IP: ip, VLAN: v.VLAN, Time: x.wall})
}

func (x *Extractor) see(s fact.Sighting) {
	x.resident.note(x.hash(s.MAC), x.now)
	x.batch.Sightings = append(x.batch.Sightings, s)
	if len(x.batch.Sightings) >= maxBatch {
		x.flush()
	}
}

// onPort reports whether a frame that goes out is for a device of this port:
// a bridge floods what it does not know, and that is nobody's conversation.
func (x *Extractor) onPort(v *dissect.View) bool {
	return v.HasDstMAC && !v.Group() && x.resident.has(x.hash(v.DstMAC))
}

func (x *Extractor) hash(mac fact.MAC) uint64 { return maphash.Bytes(x.seed, mac[:]) }

// may reports whether one more entry about a MAC may be handed over, and counts
// it if not. A reader of files waits for its sink, so there all is.
func (x *Extractor) may(s *shares, mac fact.MAC) bool {
	if x.whole || s.take(x.hash(mac), x.now) {
		return true
	}
	x.stats.Withheld++
	return false
}

// talk is what the inventory tells conversations apart by.
type talk struct {
	device, peer fact.MAC // peer only where there is no IP
	ip           netip.Addr
	service      fact.Service
}

// flow takes a delta from the flow table. The deltas of one conversation are
// summed, so that a thousand connections to one service, half open or not, are
// one entry of the batch.
func (x *Extractor) flow(f *fact.Flow) {
	k := talk{device: f.Device, ip: f.PeerIP, service: f.Service}
	if !k.ip.IsValid() {
		k.peer = f.Peer
	}
	if i, ok := x.talks[k]; ok {
		x.batch.Flows[i].Add(f)
		return
	}
	quota := &x.quotas.attempts
	if f.Answered {
		quota = &x.quotas.answered
	}
	if !x.may(quota, f.Device) {
		return
	}
	x.talks[k] = len(x.batch.Flows)
	x.batch.Flows = append(x.batch.Flows, *f)
	if len(x.batch.Flows) >= maxBatch {
		x.flush()
	}
}

// flush hands the batch over.
func (x *Extractor) flush() {
	b := x.batch
	if len(b.Sightings) == 0 && len(b.Facts) == 0 && len(b.Flows) == 0 {
		return
	}
	x.batch = fact.Batch{Port: x.opt.Port}
	clear(x.talks)
	if x.opt.Sink != nil && !x.opt.Sink(b) {
		x.stats.Refused++
	}
}
