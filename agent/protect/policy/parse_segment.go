package policy

import (
	"github.com/wardkeeper/wardkeeper/agent/device"
)

// defaultSegment is what devices without a segment are counted under.
const defaultSegment = "default"

func parseSegments(s source, p *Policy, r raw, roles Roles, known []device.Role) error {
	owner := map[string]string{} // "role x" → segment
	for i, rs := range r.Segment {
		if why := free(rs.Name); why != "" {
			return s.errorf(s.segment(i, rs.Name), "segment %q: %s", rs.Name, why)
		}
		if p.Segment(rs.Name) != nil || p.peer(rs.Name) != nil {
			return s.errorf(s.segment(i, rs.Name), "segment %q: the name is taken", rs.Name)
		}
		m, err := ParseMode(rs.Mode)
		if err != nil {
			return s.errorf(s.segment(i, rs.Mode), "segment %q: %v", rs.Name, err)
		}
		seg := Segment{Name: rs.Name, Mode: m, Tags: rs.Tags}
		if len(rs.Roles)+len(rs.Tags)+len(rs.Devices) == 0 {
			return s.errorf(s.segment(i, rs.Name), "segment %q: want roles, tags or devices", rs.Name)
		}
		take := func(what, v string) error {
			if o, taken := owner[what+v]; taken {
				return s.errorf(s.segment(i, v), "segment %q: %s %q is already in segment %q", rs.Name, what, v, o)
			}
			owner[what+v] = rs.Name
			return nil
		}
		for _, v := range rs.Roles {
			if _, ok := roles(device.Role(v)); !ok {
				return s.errorf(s.segment(i, v), "segment %q: unknown role %q%s", rs.Name, v, nearest(v, known))
			}
			if err := take("role", v); err != nil {
				return err
			}
			seg.Roles = append(seg.Roles, device.Role(v))
		}
		for _, v := range rs.Tags {
			if err := take("tag", v); err != nil {
				return err
			}
		}
		for _, v := range rs.Devices {
			if _, ok := MACOf(device.ID(v)); !ok {
				return s.errorf(s.segment(i, v), "segment %q: device %q: want a device id, as show devices prints it", rs.Name, v)
			}
			if err := take("device", v); err != nil {
				return err
			}
			seg.Devices = append(seg.Devices, device.ID(v))
		}
		p.Segments = append(p.Segments, seg)
	}
	return nil
}

func parseAllows(s source, p *Policy, r raw) error {
	for i, rs := range r.Segment {
		if len(rs.Allow) > maxAllow {
			return s.errorf(s.segment(i, rs.Name), "segment %q: %d allow entries: want at most %d", rs.Name, len(rs.Allow), maxAllow)
		}
		for j, ra := range rs.Allow {
			a, err := parseAllow(s, p, i, j, rs.Name, ra)
			if err != nil {
				return err
			}
			p.Segments[i].Allow = append(p.Segments[i].Allow, a)
		}
	}
	return nil
}

func parseAllow(s source, p *Policy, seg, nth int, name string, ra rawAllow) (Allow, error) {
	a := Allow{Dir: To, Name: ra.To}
	if (ra.To == "") == (ra.From == "") {
		return a, s.errorf(s.segment(seg, ra.To), "segment %q: allow entry %d: want either to or from", name, nth+1)
	}
	if ra.From != "" {
		a.Dir, a.Name = From, ra.From
	}
	line := s.segment(seg, a.Name)
	g, isGroup := groupNamed(a.Name)
	switch {
	case a.Name == "any":
		a.Kind = AnyTarget
	case a.Name == "any-internal":
		a.Kind = InternalTarget
	case p.peer(a.Name) != nil:
		a.Kind = PeerTarget
	case p.Segment(a.Name) != nil:
		a.Kind = SegmentTarget
	case isGroup && a.Dir == From:
		return a, s.errorf(line, "segment %q: from = %q: a group is only sent to", name, a.Name)
	case isGroup:
		a.Kind, a.Services = GroupTarget, g.Services
	default:
		return a, s.errorf(line, "segment %q: %s = %q: no peer, segment or group of that name%s", name, a.Dir, a.Name, nearest(a.Name, p.targets()))
	}
	if len(ra.Services) == 0 && len(a.Services) == 0 && !g.Housekeeping {
		return a, s.errorf(line, "segment %q: %s = %q: want services", name, a.Dir, a.Name)
	}
	if len(ra.Services) > 0 {
		a.Services = nil
	}
	for _, t := range ra.Services {
		svc, err := ParseService(t)
		if err != nil {
			return a, s.errorf(s.segment(seg, t), "segment %q: %v", name, err)
		}
		if svc.Proto == Ether && a.Kind != AnyTarget {
			return a, s.errorf(s.segment(seg, t), `segment %q: service %q has no address: want to = "any"`, name, t)
		}
		if a.Kind == GroupTarget && svc.Proto != UDP {
			return a, s.errorf(s.segment(seg, t), "segment %q: service %q: only udp is sent to a group", name, t)
		}
		a.Services = append(a.Services, svc)
	}
	return a, nil
}
