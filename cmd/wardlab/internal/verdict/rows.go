package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
)

// Row is the attempts of one host on another under one guise that came to the
// same: what fits on a line.
type Row struct {
	From, To cast.Part
	As       sim.Guise
	Outcome  sim.Outcome
	Allowed  bool
	Services string
}

// Who names the one who tried, with the guise.
func (r Row) Who() string {
	if r.As == sim.AsItself {
		return r.From.String()
	}
	return r.From.String() + " as " + r.As.String()
}

// Rows gathers attempts, guise by guise and host by host.
func Rows(attempts []sim.Attempt) []Row {
	var rows []Row
	services := map[Row][]string{}
	for _, a := range attempts {
		k := Row{From: a.From, To: a.To, As: a.As, Outcome: a.Outcome, Allowed: a.Allowed()}
		if _, ok := services[k]; !ok {
			rows = append(rows, k)
		}
		services[k] = append(services[k], a.Service)
	}
	slices.SortFunc(rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(x.As, y.As), cmp.Compare(x.From, y.From)*-1, cmp.Compare(x.To, y.To), cmp.Compare(x.Outcome, y.Outcome))
	})
	for i := range rows {
		rows[i].Services = Compact(services[rows[i]])
	}
	return rows
}

// Compact writes services with their protocol once: "icmp tcp/23,445".
func Compact(services []string) string {
	type service struct{ proto, port string }
	var list []service
	for _, s := range services {
		proto, port, _ := strings.Cut(s, "/")
		list = append(list, service{proto, port})
	}
	slices.SortFunc(list, func(x, y service) int {
		return cmp.Or(cmp.Compare(x.proto, y.proto), cmp.Compare(len(x.port), len(y.port)), cmp.Compare(x.port, y.port))
	})
	list = slices.Compact(list)
	var b strings.Builder
	for i, s := range list {
		switch {
		case i > 0 && s.port != "" && s.proto == list[i-1].proto:
			b.WriteString("," + s.port)
			continue
		case i > 0:
			b.WriteByte(' ')
		}
		b.WriteString(s.proto)
		if s.port != "" {
			b.WriteString("/" + s.port)
		}
	}
	return b.String()
}
