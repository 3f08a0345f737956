package policy

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Placement says which device is under which segment. It is all that rules
// need to know of an inventory, and is kept with them: after a restart the same
// rules can be made before the inventory is back.
type Placement struct {
	Members []Member `json:"members"` // by device id
	// Ward are the devices that a peer of the policy names.
	Ward []WardPeer `json:"ward,omitempty"`
}

// Member is a device under a segment.
type Member struct {
	Device  device.ID          `json:"device"`
	MAC     fact.MAC           `json:"mac"`
	Addrs   []netip.Addr       `json:"addrs,omitempty"` // sorted
	Role    device.Role        `json:"role"`
	Class   device.SafetyClass `json:"class"`
	Segment string             `json:"segment"`
	Mode    Mode               `json:"mode"`
	// Reason says why the mode is gentler than the segment's, "" if it is not.
	Reason string `json:"reason,omitempty"`
	// Also are segments, by name, that other life-sustaining roles which it may
	// have belong to: their clinical peers are its own as well.
	Also []string `json:"also,omitempty"`
}

// WardPeer is a device of the ward that a peer names, with what the inventory
// knows of its addresses.
type WardPeer struct {
	Peer  string       `json:"peer"`
	Addrs []netip.Addr `json:"addrs"`
}

// Place finds the segment of each device. Only a role that is confirmed, or
// pinned by a person, puts a device into a segment; all others follow the
// default. A device named by id goes before one named by tag, that before role.
// What has exempt pairs of old counts as life-sustaining, whatever its evidence
// says now, until a person pins another role.
func (p *Policy) Place(snap *device.Snapshot, roles Roles, old ...Pair) Placement {
	var out Placement
	paired := map[fact.MAC]map[netip.Addr]bool{}
	for _, x := range old {
		if paired[x.MAC] == nil {
			paired[x.MAC] = map[netip.Addr]bool{}
		}
		paired[x.MAC][x.Addr] = true
	}
	bySelector := p.selectors()
	for _, peer := range p.Peers {
		if peer.Device == "" {
			continue
		}
		w := WardPeer{Peer: peer.Name}
		if d := snap.Find(peer.Device); d != nil {
			w.Addrs = sortedAddrs(d.IPs)
		}
		out.Ward = append(out.Ward, w)
	}
	for i := range snap.Devices {
		d := &snap.Devices[i]
		m, ok := p.place(d, bySelector, roles, len(paired[d.MAC]) > 0)
		if !ok {
			continue
		}
		if name := p.missed(d, &m, out, paired[d.MAC]); name != "" {
			m.Mode, m.Reason = Stage, "life-sustaining, and it speaks with the clinical peer "+name+", which its segment does not name"
		}
		out.Members = append(out.Members, m)
	}
	slices.SortFunc(out.Members, func(a, b Member) int { return cmpID(a.Device, b.Device) })
	return out
}

// missed is a clinical peer that an enforced life-sustaining device was seen to
// speak with, and would be cut from: a tag or an id can put it under a segment
// that does not know it. Both sides must have spoken, whoever began: hubs poll.
// Who borrows the peer's address before there is a policy can so have the device
// staged; that cuts nothing, and is shown with its reason.
func (p *Policy) missed(d *device.Device, m *Member, pl Placement, paired map[netip.Addr]bool) string {
	if m.Mode != Enforce || m.Class != device.LifeSustaining || len(d.Conversations) == 0 {
		return ""
	}
	has := map[netip.Addr]bool{}
	for _, s := range p.segmentsOf(m) {
		for _, peer := range p.clinicalPeers(s) {
			for _, a := range p.addrsOf(peer, pl) {
				has[a] = true
			}
		}
	}
	for i := range p.Peers {
		for _, a := range p.addrsOf(&p.Peers[i], pl) {
			if !p.Peers[i].Clinical || has[a] || paired[a] {
				continue
			}
			if slices.ContainsFunc(d.Conversations, func(v device.Conversation) bool { return v.Peer == a && v.Answered }) {
				return p.Peers[i].Name
			}
		}
	}
	return ""
}

func cmpID(a, b device.ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// selectors maps "device x", "tag x", "role x" to the segment's index.
func (p *Policy) selectors() map[string]int {
	m := map[string]int{}
	for i, s := range p.Segments {
		for _, r := range s.Roles {
			m["role "+string(r)] = i
		}
		for _, t := range s.Tags {
			m["tag "+t] = i
		}
		for _, d := range s.Devices {
			m["device "+string(d)] = i
		}
	}
	return m
}

func (p *Policy) place(d *device.Device, bySelector map[string]int, roles Roles, paired bool) (Member, bool) {
	m := Member{Device: d.ID, MAC: d.MAC, Addrs: sortedAddrs(d.IPs)}
	if d.MAC == (fact.MAC{}) || d.MAC.Group() {
		return m, false // behind a router: no frame on this ward tells it
	}
	certain := d.Identity.Confidence == device.Confirmed
	m.Role, m.Class = d.Identity.Role, d.Identity.Class
	if d.Pin != nil {
		certain, m.Role, m.Class = true, d.Pin.Role, 0
	}
	// The class only rises: the sterner of what the inventory and the rules say.
	if c, ok := roles(m.Role); ok && (m.Class == 0 || c < m.Class) {
		m.Class = c
	}
	why := ""
	if paired && d.Pin == nil && m.Class != device.LifeSustaining {
		why = "it has exempt pairs: life-sustaining until its role is pinned"
	}
	for _, r := range doubts(d, roles) {
		if m.Class != device.LifeSustaining {
			why = fmt.Sprintf("its evidence also says %s: life-sustaining as long as it does", r)
		}
		if i, ok := bySelector["role "+string(r)]; ok && !slices.Contains(m.Also, p.Segments[i].Name) {
			m.Also = append(m.Also, p.Segments[i].Name)
		}
	}
	if !certain || m.Class == 0 || why != "" {
		m.Class = device.LifeSustaining // until it is known, for every automatic act
	}
	index, found := bySelector["device "+string(d.ID)]
	for _, t := range d.Tags {
		if !found {
			index, found = bySelector["tag "+t]
		}
	}
	if !found {
		index, found = bySelector["role "+string(m.Role)]
	}
	if !found || !certain {
		m.Segment, m.Mode, m.Also = defaultSegment, p.Default, nil
		return m, p.Default != Observe
	}
	s := &p.Segments[index]
	m.Segment, m.Mode = s.Name, s.Mode
	// A role that a tag or an id does not ask about.
	if i, ok := bySelector["role "+string(m.Role)]; ok && m.Class == device.LifeSustaining && !slices.Contains(m.Also, p.Segments[i].Name) {
		m.Also = append(m.Also, p.Segments[i].Name)
	}
	m.Also = slices.DeleteFunc(m.Also, func(name string) bool { return name == s.Name })
	if slices.Sort(m.Also); len(m.Also) == 0 {
		m.Also = nil
	}
	if m.Mode == Enforce && m.Class == device.LifeSustaining && len(p.clinicalPeers(s)) == 0 {
		m.Mode, m.Reason = Stage, "life-sustaining, and its segment names no clinical peer"
		if why != "" {
			m.Reason = why + ", and its segment names no clinical peer"
		}
	}
	return m, true
}

// segmentsOf are the segments whose clinical peers and groups a life-sustaining
// member may not lose: its own, if it has one, and those of its other roles.
func (p *Policy) segmentsOf(m *Member) []*Segment {
	own := p.Segment(m.Segment)
	if own == nil || m.Class != device.LifeSustaining {
		return nil
	}
	out := []*Segment{own}
	for _, name := range m.Also {
		if s := p.Segment(name); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// strongDoubt is the weight of evidence, in log-odds, that would make a role
// likely by itself.
const strongDoubt = 4

// doubts are life-sustaining roles that a device may have besides the one it is
// taken for. Where evidence alone decided, only strong evidence counts: else
// anybody could leave the fence with an odd packet. A pin is the act of one
// person, and takes away no role that the evidence names.
func doubts(d *device.Device, roles Roles) []device.Role {
	least := float64(strongDoubt)
	if d.Pin != nil {
		least = 0
	}
	return Candidates(d, roles, least)
}

// Candidates are the life-sustaining roles among those that a device may have:
// those whose evidence weighs at least so much, and more than nothing; from a
// least of 0 the role it is taken for and the runner-up as well, whatever theirs.
func Candidates(d *device.Device, roles Roles, least float64) []device.Role {
	weight := map[device.Role]float64{}
	for _, e := range d.Identity.Evidence {
		weight[e.Role] += e.Weight
	}
	if least == 0 {
		weight[d.Identity.Role] = max(weight[d.Identity.Role], 1)
		weight[d.Identity.RunnerUp] = max(weight[d.Identity.RunnerUp], 1)
	}
	var out []device.Role
	for r, n := range weight {
		if class, ok := roles(r); ok && class == device.LifeSustaining && n > 0 && n >= least {
			out = append(out, r)
		}
	}
	slices.Sort(out)
	return out
}

// sortedAddrs are those addresses that can be the other end of a conversation.
func sortedAddrs(in []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range in {
		if a = a.Unmap().WithZone(""); a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != broadcast4() {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

func broadcast4() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }
