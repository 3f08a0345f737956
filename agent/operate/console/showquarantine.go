package console

import "time"

// showQuarantine lists who is cut off, and what is open in spite of the rules.
func showQuarantine(s Source) string {
	var p page
	pol := s.Policy()
	for _, q := range pol.Quarantine {
		what := ""
		if q.Interlock {
			what = ", CLINICAL FLOWS TOO"
		}
		p.line("%s for %s%s", q.Device, q.Left.Round(time.Second), what)
		p.words("  by      ", clean(q.Owner))
		p.words("  reason  ", clean(q.Reason))
		for _, o := range q.Outside {
			p.words("  outside ", clean(o))
		}
	}
	if len(pol.Quarantine) == 0 {
		p.line("no device is cut off")
	}
	for _, o := range pol.Openings {
		p.words("open      ", clean(o))
	}
	if pol.Root == 0 {
		p.line("nobody is obeyed from afar: the gateway has no root of trust")
	} else {
		p.line("who may command says the root of trust, version %d", pol.Root)
	}
	return p.String()
}
