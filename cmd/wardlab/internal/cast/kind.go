package cast

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// Kind is a kind of ward: what stands there besides the basic ward.
type Kind string

// Kinds of wards. The zero Kind is the basic ward alone.
const (
	Basic      Kind = ""
	ICU        Kind = "icu"
	Theatre    Kind = "theatre"
	Laboratory Kind = "lab"
)

// Kinds lists those that have a name.
func Kinds() []Kind { return []Kind{ICU, Theatre, Laboratory} }

// bedside is the first of the parts that only some kinds of wards have.
const bedside Part = 32

// Parts of those wards. The Hub collects from them, behind the uplink.
const (
	Hub Part = iota + bedside
	Rack
	Syringe
	Asena
	UnityMonitor
	DRIMonitor
	MindrayMonitor
	SDCMonitor
	Ventilator
	BoxedVentilator
	Oximeter
	Cooximeter
	Anaesthesia
	MindrayAnaesthesia
	SDCAnaesthesia
	Glucometer
	Analyser
	Automation
	AS50
	TagReader
)

// extra is what is known of such a part.
type extra struct {
	part  Part
	name  string
	role  string
	vague bool     // what it says lets its role be likely, no more
	ouis  []uint32 // of its MAC; protocols.md 7
	model string
	at    []Kind
}

// extras is the table of them. Who stands behind a serial device server has the
// server's MAC. Models are product lines that protocols.md names; where it names
// none, there is none.
func extras() []extra {
	care := []Kind{ICU, Theatre}
	return []extra{
		{Hub, "hub", "", false, []uint32{0x005056}, "", Kinds()},
		{Rack, "rack", "infusion-pump-lvp", false, []uint32{0x001221}, "Infusomat Space", []Kind{ICU}},
		{Syringe, "syringe", "infusion-pump-syringe", true, []uint32{0x001221}, "Perfusor Space", care},
		{Asena, "asena", "infusion-pump-syringe", false, []uint32{0x00b094, 0x00d075}, "", care},
		{UnityMonitor, "ge-monitor", "patient-monitor", false, []uint32{0x0000a1}, "B40 Patient Monitor", []Kind{ICU}},
		{DRIMonitor, "s5-monitor", "patient-monitor", false, []uint32{0x00409d}, "", care},
		{MindrayMonitor, "d-monitor", "patient-monitor", false, []uint32{0x00a037}, "MINDRAY_D-SERIES", []Kind{ICU}},
		{SDCMonitor, "sdc-monitor", "patient-monitor", false, []uint32{0xf0e5c3}, "", []Kind{ICU}},
		{Ventilator, "ventilator", "ventilator", false, []uint32{0x0030e6, 0x00105d}, "Evita V500", []Kind{ICU}},
		{BoxedVentilator, "pb840", "ventilator", false, []uint32{0x00204a, 0x0080a3}, "840", []Kind{ICU}},
		{Oximeter, "oximeter", "capnograph-oximeter", false, []uint32{0x001c05}, "", []Kind{ICU, Laboratory}},
		{Cooximeter, "radical", "capnograph-oximeter", true, []uint32{0x0809b6, 0x504a5e}, "", []Kind{Theatre}},
		{Anaesthesia, "perseus", "anaesthesia-machine", false, []uint32{0x0090e8}, "Perseus A500", []Kind{Theatre}},
		{MindrayAnaesthesia, "a7", "anaesthesia-machine", false, []uint32{0x00a037}, "MINDRAY_A7", []Kind{Theatre}},
		{SDCAnaesthesia, "sdc-machine", "anaesthesia-machine", false, []uint32{0xf0e5c3}, "", []Kind{Theatre}},
		{Glucometer, "glucometer", "poct-meter-dock", true, []uint32{0x006019}, "", []Kind{Laboratory, ICU}},
		{Analyser, "analyser", "lab-analyser", false, []uint32{0x00066b}, "", []Kind{Laboratory}},
		{AS50, "as50", "infusion-pump-syringe", true, []uint32{0x5842e4, 0x5846e1}, "", []Kind{Theatre}},
		{TagReader, "tag-reader", "", false, []uint32{0x000ccc}, "", []Kind{ICU}},
		{Automation, "automation", "lab-analyser", false, []uint32{0x28def6}, "", []Kind{Laboratory}},
	}
}

// extra finds what is known of a part.
func (p Part) extra() extra {
	if p >= bedside {
		for _, x := range extras() {
			if x.part == p {
				return x
			}
		}
	}
	return extra{name: "invalid"}
}

// Bedside reports whether only some kinds of wards have the part.
func (p Part) Bedside() bool { return p.extra().part != 0 }

// Vague reports that what the part says lets its role be likely, no more.
func (p Part) Vague() bool { return p.extra().vague }

// NewKind makes the ward of a kind that follows from seed: New's, and what the
// kind adds.
func NewKind(seed uint64, kind Kind) *Cast {
	c := New(seed)
	c.Kind = kind
	c.members = slices.Grow(c.members, int(TagReader)+1)[:int(TagReader)+1]
	r := rand.New(rand.NewPCG(seed, 0x62656473))
	taken := map[netip.Addr]bool{c.Broadcast(): true}
	for _, p := range Parts() {
		taken[c.Member(p).Addr] = true
	}
	for _, x := range extras() {
		if !slices.Contains(x.at, kind) {
			continue
		}
		base := c.Subnet.Addr().As4()
		for base[3] == 0 || taken[netip.AddrFrom4(base)] {
			base[3] = byte(10 + r.IntN(230))
		}
		m := Member{Part: x.part, MAC: mac(r, x.ouis...), Addr: netip.AddrFrom4(base), Model: x.model,
			Serial: fmt.Sprintf("%08d", 10_000_000+r.IntN(89_999_999)), SW: fmt.Sprintf("%02d.%02d", 1+r.IntN(8), r.IntN(30))}
		taken[m.Addr] = true
		c.members[x.part] = m
		c.parts = append(c.parts, x.part)
	}
	return c
}

// Parts are those of the ward: the basic ones first.
func (c *Cast) Parts() []Part { return append(Parts(), c.parts...) }
