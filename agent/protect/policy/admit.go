package policy

import (
	"fmt"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Admit says whether this gateway may run this policy; links are its uplink and
// ward ports, as far as they exist. Rules that drop packets stay out of wards
// until the safety suite has been passed: enforce needs lab = true, and that is
// believed only where no port is real hardware. A nil policy is always admitted
// as far as the ports go.
func Admit(p *Policy, lab bool, links []platform.Link) error {
	for _, l := range links {
		if lab && l.Bus != "" && l.Bus != "virtio" {
			return fmt.Errorf("lab = true is refused: port %q is hardware (/sys/class/net/%s/device is on the %s bus); a virtual ward has only virtual ports",
				l.Name, l.Name, l.Bus)
		}
	}
	if p == nil || lab {
		return nil
	}
	for _, s := range p.Segments {
		if s.Mode == Enforce {
			return fmt.Errorf(`segment %q: mode "enforce" is refused: until the safety suite exists it is accepted only in a virtual ward (lab = true); mode "stage" counts and reports what would be denied`, s.Name)
		}
	}
	return nil
}

// Gentler is the policy with every enforced segment in stage.
func (p *Policy) Gentler() *Policy {
	q := *p
	q.Segments = make([]Segment, len(p.Segments))
	for i, s := range p.Segments {
		if s.Mode == Enforce {
			s.Mode = Stage
		}
		q.Segments[i] = s
	}
	return &q
}
