package extract

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Options are the choices of an Extractor.
type Options struct {
	Port string // the ward port, "" for a capture file
	// Flows, Streams and StreamBytes bound the flow table; see flows.Options.
	Flows, Streams, StreamBytes int
	// Sink takes the batches and may keep them. False says that it had no room;
	// it does its own counting.
	Sink func(fact.Batch) bool
}

// Stats are totals since New.
type Stats struct {
	Frames           uint64
	Facts            uint64 // handed over
	Refused          uint64 // batches that the sink had no room for
	Withheld         uint64 // sightings, facts and deltas beyond the share of their device
	Foreign          uint64 // DHCP requests in the name of another MAC, not believed
	Unknown          uint64 // frames to a MAC that is not on the port (flooded)
	FragmentsDropped uint64 // datagrams not put together
	HL7Refused       uint64 // HL7 messages answered with AE, AR, CE or CR
	Flows            flows.Stats
}

// Extractor reads the frames of one port. It belongs to one goroutine.
type Extractor struct {
	opt   Options
	stats Stats
	told  atomic.Pointer[Stats] // for other goroutines

	view      dissect.View
	fragments flows.Fragments
	table     *flows.Table

	// now is the time since the first frame in nanoseconds. Unlike the wall
	// clock, which is wrong at boot and set later, it never falls.
	now, wall int64
	answered  bool  // in the flow of the frame being read, both sides have spoken
	reported  int64 // now of the last report
	began     bool

	seed     maphash.Seed
	scratch  []byte // of a fact's hash
	text     []byte // of a value being written
	stated   recent // facts, by hash
	sighted  recent // MAC with address, by hash
	resident recent // MACs that frames came in from, by hash
	quotas   quotas
	whole    bool // a file: nothing is withheld
	batch    fact.Batch
	talks    map[talk]int // index in batch.Flows
	decoders decoders
}

// decoders are the messages being read: here because they are large.
type decoders struct {
	dhcp       dissect.DHCPv4
	dns        dissect.DNS
	record     dissect.DNSRecord
	lldp       dissect.LLDP
	hello      dissect.ClientHello
	answer     dissect.ServerHello
	http       dissect.HTTP
	fhir       dissect.FHIR
	wsd        dissect.WSDiscovery
	sdc        dissect.SDC
	devices    devices
	hl7        dissect.HL7
	dicom      dissect.DICOM
	intellivue dissect.IntelliVue
	proposals  proposals
	bcc        dissect.BCC
	medibus    dissect.Medibus
	astm       dissect.ASTM
	poct1a     dissect.POCT1A
	serial     dissect.SerialASCII
	metadata   recent64 // connections that asked a server for its metadata
	as50       recent64 // connections that asked a pump in the way of an AS50
	unity      recent64 // pairs of hosts of which the first asked the second for data
}

const (
	second = int64(1e9)

	reportEvery = second      // flow deltas, sightings, batches
	stateEvery  = 60 * second // the same fact again
	residence   = 600 * second
	maxStated   = 8192
	maxSighted  = 8192
	maxResident = 4096
	maxBatch    = 512 // entries of one kind
)

// New makes an extractor.
func New(opt Options) *Extractor {
	x := &Extractor{
		opt: opt, seed: maphash.MakeSeed(),
		stated: newRecent(maxStated, stateEvery), sighted: newRecent(maxSighted, stateEvery), resident: newRecent(maxResident, residence),
	}
	x.table = flows.New(flows.Options{
		Flows: opt.Flows, Streams: opt.Streams, StreamBytes: opt.StreamBytes, Emit: x.flow, Read: (*reader)(x),
	})
	x.batch.Port, x.talks, x.quotas = opt.Port, make(map[talk]int), newQuotas()
	x.tell()
	return x
}

// Stats are totals since New, as of the last report or of Close. Any goroutine
// may ask.
func (x *Extractor) Stats() Stats { return *x.told.Load() }

func (x *Extractor) tell() {
	s := x.stats
	s.FragmentsDropped, s.Flows = x.fragments.Dropped, x.table.Stats()
	x.told.Store(&s)
}

// Frame reads one frame. It keeps none of its bytes.
func (x *Extractor) Frame(f platform.Frame) {
	x.stats.Frames++
	x.advance(f.Time)
	x.read(f)
	// No pointer into a ring may outlive it: on 32-bit boxes the addresses of
	// one that was unmapped may become the heap's.
	x.view.Payload, x.view.FragData = nil, nil
	x.fragments.Release()
}

func (x *Extractor) read(f platform.Frame) {
	v := &x.view
	v.Decode(dissect.FrameHeader{Link: linkOf(f.Link), TCI: f.TCI, TPID: f.TPID}, f.Data)
	v.BlankUnity()
	way := wayOf(f.Dir)
	if way == flows.ToDevice {
		if !x.onPort(v) {
			x.stats.Unknown++
			return
		}
	} else {
		x.sight(v)
	}
	packets, bytes := uint64(1), uint64(f.Length)
	if v.Fragment != dissect.FragmentWhole {
		var data []byte
		if data, packets, bytes = x.fragments.Add(v, way, x.now, f.Length); data == nil {
			return
		}
		v.DecodeDatagram(data)
		v.BlankUnity()
	}
	out := x.table.Frame(v, way, x.now, x.wall, packets, bytes)
	x.answered = out.Answered
	if out.Served {
		x.service(v, way, out.Service)
	}
	switch {
	case v.Transport == dissect.TransportUDP:
		x.datagram(v, way)
	case v.EtherType == dissect.EtherTypeLLDP:
		x.readLLDP(v, way)
	case v.NDP.Type == dissect.NDPRouterAdvert:
		x.router(v, way)
	}
	if way != flows.ToDevice && v.Group() {
		x.group(v)
	}
}

// Tick says how much time passed without a frame, so that what is due is handed
// over. It is told in a duration because the clock of frames may be another
// than the caller's.
func (x *Extractor) Tick(elapsed time.Duration) { x.advance(x.wall + max(int64(elapsed), 0)) }

// Close ends all flows and hands over what there is.
func (x *Extractor) Close() {
	x.table.Close()
	x.flush()
	x.tell()
}

// How far wall time must fall to be a clock that was set. The frames of a port
// come in order, but for what Tick ran ahead; those of a file that was merged
// from several may be far out of it.
const (
	setBackLive = 2 * second
	setBackFile = 60 * second
)

func (x *Extractor) advance(wall int64) {
	switch d := wall - x.wall; {
	case !x.began:
		x.began, x.wall = true, wall
	case d > 0:
		x.now, x.wall = x.now+d, wall
	case d < -setBackFile || d < -setBackLive && !x.whole:
		x.wall = wall
	}
	if x.now-x.reported >= reportEvery {
		x.reported = x.now
		x.table.Report(x.now)
		x.fragments.Expire(x.now)
		x.flush()
		x.tell()
	}
}

func wayOf(d platform.Direction) flows.Way {
	switch d {
	case platform.Ingress:
		return flows.FromDevice
	case platform.Egress:
		return flows.ToDevice
	}
	return flows.BothDevices
}

func linkOf(l platform.LinkType) dissect.Link {
	switch l {
	case platform.LinkEthernet:
		return dissect.LinkEthernet
	case platform.LinkLinuxCooked:
		return dissect.LinkCooked
	case platform.LinkLinuxCooked2:
		return dissect.LinkCooked2
	case platform.LinkRawIP:
		return dissect.LinkRawIP
	case platform.LinkNull:
		return dissect.LinkNull
	}
	return 0
}
