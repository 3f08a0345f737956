package cast

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// DefaultSeed is the ward of a run without --shuffle.
const DefaultSeed = 1

// MAC is an Ethernet address.
type MAC [6]byte

func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// EUI64 is the device identifier which HL7 and IEEE 11073 devices make from a
// MAC: the middle two octets are FFFE for HL7 senders (IEEE EUI-64) and FFFF
// for Philips monitors (protocols.md 2.1 and 2.6).
func (m MAC) EUI64(middle uint16) [8]byte {
	return [8]byte{m[0], m[1], m[2], byte(middle >> 8), byte(middle), m[3], m[4], m[5]}
}

// Member is one host of the ward.
type Member struct {
	Part   Part
	MAC    MAC
	Addr   netip.Addr
	Name   string // host name, as DHCP announces it
	Model  string
	Serial string
	SW     string // software version
}

// Cast is the whole ward.
type Cast struct {
	Seed    uint64
	Kind    Kind
	Site    string
	Gateway string // the gateway's id
	Subnet  netip.Prefix
	Domain  string
	Patient Patient
	members []Member // indexed by Part
	parts   []Part   // besides the basic ones
}

// Patient is the synthetic person whose data crosses the ward. Nothing of it
// may ever leave the gateway: the run looks for these strings at the broker.
type Patient struct {
	Family, Given, ID string
}

// Member returns the host that plays p.
func (c *Cast) Member(p Part) Member {
	if int(p) <= 0 || int(p) >= len(c.members) {
		return Member{}
	}
	return c.members[p]
}

// ByMAC finds the host with that address.
func (c *Cast) ByMAC(m MAC) (Member, bool) {
	for _, x := range c.members[1:] {
		if x.Part != 0 && x.MAC == m {
			return x, true
		}
	}
	return Member{}, false
}

// ByAddr finds the host with that address.
func (c *Cast) ByAddr(a netip.Addr) (Member, bool) {
	for _, x := range c.members[1:] {
		if x.Part != 0 && x.Addr == a {
			return x, true
		}
	}
	return Member{}, false
}

// Broadcast is the subnet's directed broadcast address.
func (c *Cast) Broadcast() netip.Addr {
	b := c.Subnet.Masked().Addr().As4()
	b[3] = 255 // the lab's subnet is always a /24
	return netip.AddrFrom4(b)
}

// New makes the ward that follows from seed.
func New(seed uint64) *Cast {
	r := rand.New(rand.NewPCG(seed, 0x77617264))
	subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(16 + r.IntN(200)), byte(1 + r.IntN(250)), 0}), 24)
	c := &Cast{
		Seed:    seed,
		Site:    pick(r, "st-mary", "st-luke", "north-general", "lakeside"),
		Gateway: fmt.Sprintf("ward-%d%c", 1+r.IntN(9), 'a'+rune(r.IntN(6))),
		Subnet:  subnet,
		Patient: patient(r),
		members: make([]Member, int(Infra)+1),
	}
	c.Domain = c.Site + ".example"
	last := r.Perm(230) // last octets, without repeats
	for i, p := range Parts() {
		base := subnet.Addr().As4()
		base[3] = byte(10 + last[i])
		m := identity(r, p)
		m.Part, m.Addr = p, netip.AddrFrom4(base)
		c.members[p] = m
	}
	return c
}

func patient(r *rand.Rand) Patient {
	return Patient{
		Family: pick(r, "Quillfeather", "Ravensworth", "Thistlewick", "Umbersley"),
		Given:  pick(r, "Zephyrine", "Ottoline", "Peregrine", "Lysander"),
		ID:     fmt.Sprintf("MRN%08d", r.IntN(100_000_000)),
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// mac makes an address in one of the vendor's blocks.
func mac(r *rand.Rand, ouis ...uint32) MAC {
	o := pick(r, ouis...)
	return MAC{byte(o >> 16), byte(o >> 8), byte(o), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))}
}
