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
	if !x.stated.due(maphash.Bytes(x.seed, b), x.now, stateEvery) {
		return
	}
	value, ok := fact.New(kind, string(text))
	if !ok {
		return
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
func (x *Extractor) yes(w who, kind fact.Kind) {
	x.text = append(x.text[:0], "yes"...)
	x.state(w, kind, x.text)
}

// sight notes the sender of a frame, at most once a second for each address.
func (x *Extractor) sight(v *dissect.View, way flows.Way) {
	mac := fact.MAC(v.SrcMAC)
	if mac.Group() {
		return
	}
	if way == flows.FromDevice {
		x.resident.due(maphash.Bytes(x.seed, mac[:]), x.now, residence/2)
	}
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
	if !x.sighted.due(maphash.Bytes(x.seed, b), x.now, reportEvery) {
		return
	}
	x.batch.Sightings = append(x.batch.Sightings, fact.Sighting{MAC: mac, IP: ip, VLAN: v.VLAN, Time: x.wall})
	if len(x.batch.Sightings) >= maxBatch {
		x.flush()
	}
}

// onPort reports whether a frame that goes out is for a device of this port:
// a bridge floods what it does not know, and that is nobody's conversation.
func (x *Extractor) onPort(v *dissect.View) bool {
	return v.HasDstMAC && !v.Group() && x.resident.has(maphash.Bytes(x.seed, v.DstMAC[:]))
}

// flow takes a delta from the flow table.
func (x *Extractor) flow(f *fact.Flow) {
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
	if x.opt.Sink != nil && !x.opt.Sink(b) {
		x.stats.Refused++
	}
}
