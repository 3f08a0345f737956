package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

const watchUsage = `  wardctl watch [--gateway NAME] [--only KIND,…] [--for DURATION]
      what gateways say, as it comes: alert, audit, event, telemetry, inventory,
      health, cmd (answers), state; --json: events as the gateways sent them
  wardctl state
      the gateways of the site, and what is in force there
`

// watch tells what comes until it is interrupted.
func watch(args []string, stdout, stderr io.Writer) error {
	fs, l := linkFlags("watch", watchUsage, stderr)
	gateway, only, limit := fs.String("gateway", "+", ""), fs.String("only", "", ""), fs.Duration("for", 0, "")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if missing := l.lacks("--site", l.site != ""); missing != "" || len(words) > 0 {
		return refuse(fs, missing)
	}
	ends, err := watched(*only)
	if err != nil {
		return err
	}
	var filters []string
	for _, end := range ends {
		filters = append(filters, l.base()+*gateway+"/"+end)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *limit > 0 {
		ctx, stop = context.WithTimeout(ctx, *limit)
		defer stop()
	}
	c, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.subscribe(ctx, filters...); err != nil {
		return err
	}
	for {
		select {
		case m := <-c.in:
			s, err := hear(l.base(), m)
			switch {
			case err != nil:
			case l.json:
				err = s.asJSON(stdout)
			default:
				err = s.asText(stdout)
			}
			if err != nil {
				fmt.Fprintln(stderr, "wardctl:", err)
			}
		case <-c.session.Lost():
			return c.lost()
		case <-ctx.Done():
			return nil // it was told to end
		}
	}
}

// watched are the ends of the filters for a list of kinds.
func watched(only string) (out []string, err error) {
	if only == "" {
		return []string{"up/#", "state"}, nil
	}
	for _, k := range strings.Split(only, ",") {
		switch k {
		case "state":
			out = append(out, "state")
		case "cmd":
			out = append(out, "up/cmd/+")
		case "alert", "audit", "event", "telemetry", "inventory", "health":
			out = append(out, "up/"+k)
		default:
			return nil, fmt.Errorf("--only %q: want alert, audit, event, telemetry, inventory, health, cmd or state", k)
		}
	}
	return out, nil
}

// siteState shows the retained state of every gateway.
func siteState(args []string, stdout, stderr io.Writer) error {
	fs, l := linkFlags("state", watchUsage, stderr)
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if missing := l.lacks("--site", l.site != ""); missing != "" || len(words) > 0 {
		return refuse(fs, missing)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.subscribe(ctx, l.base()+"+/state"); err != nil {
		return err
	}
	all := make(map[string]said)
	over := time.After(quiet)
	for more := true; more; {
		select {
		case m := <-c.in:
			s, err := hear(l.base(), m)
			if err != nil {
				fmt.Fprintln(stderr, "wardctl:", err)
				continue
			}
			all[s.gateway] = s
			if m.Retained { // what comes live would hold us for ever
				over = time.After(quiet)
			}
		case <-over:
			more = false
		case <-c.session.Lost():
			return c.lost()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b said) int { return cmp.Compare(a.gateway, b.gateway) })
	if l.json {
		for _, s := range list {
			if err := s.asJSON(stdout); err != nil {
				return err
			}
		}
		return nil
	}
	return stateTable(stdout, list)
}

// stateTable is the site for a person.
func stateTable(w io.Writer, list []said) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "GATEWAY\tSTATE\tSAID AT\tCLOCK\tVERSION\tRULES\tROOT\tPOLICY\tCONFIG\tQUARANTINE\tDEVICES")
	for _, s := range list {
		st, online := s.state, "gone"
		if st.Online {
			online = "there"
		}
		cells := []string{s.gateway, online, st.Time, st.TimeQuality, st.Version, count(st.Generation)}
		for _, kind := range []string{"root", "policy", "config", "quarantine", "devices"} {
			cells = append(cells, count(st.Versions[kind]))
		}
		for i, c := range cells {
			cells[i] = cmp.Or(plain(c), "-")
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

func count(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
