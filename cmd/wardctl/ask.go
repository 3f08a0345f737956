package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

// Exit codes by what became of a statement; the greatest of all gateways counts.
const (
	exitRejected = 3 // a gateway refused it
	exitUndone   = 4 // it was taken, and failed or expired
	exitSilent   = 5 // a gateway is not connected, or has not answered
)

// outcome is an error with an exit code of its own.
type outcome struct {
	code int
	text string
}

func (o outcome) Error() string { return o.text }

// quiet is how long nothing may come for all that is retained to be there: the
// protocol has no mark for its end.
const quiet = 500 * time.Millisecond

// asking is a statement on its way, and what gateways say of it.
type asking struct {
	link *link
	ch   *channel
	st   signed.Statement
	text []byte // the envelope
	out  io.Writer
	note io.Writer // what is odd

	named  bool              // all its targets are gateways, by name
	want   map[string]string // gateway → its last state: those named, or found to be there
	states map[string]bool   // gateway → online
}

// readStatement reads an envelope that is to be sent; a root, if one is named,
// must let it pass.
func (l *link) readStatement(file, rootName string) (signed.Statement, []byte, error) {
	e, st, root, err := readSigned(file, rootName)
	if err != nil {
		return st, nil, err
	}
	switch {
	case l.site == "":
		l.site = st.Site
	case l.site != st.Site:
		return st, nil, fmt.Errorf("%s: for site %s, not for %s", file, st.Site, l.site)
	}
	if now := time.Now(); !now.Before(st.ExpiresTime()) && st.BootID == "" {
		return st, nil, fmt.Errorf("%s: it has expired at %s", file, st.Expires)
	}
	if root != nil {
		if st.Kind == signed.KindRoot {
			if _, err := root.Next(e); err != nil {
				return st, nil, fmt.Errorf("%s: %w", file, err)
			}
		} else if _, err := root.Verify(e); err != nil {
			return st, nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	text, err := e.Encode()
	return st, text, err
}

// topics are where the statement goes.
func (a *asking) topics() (out []string) {
	end := "/down/desired/" + string(a.st.Kind)
	if a.st.Kind == signed.KindCommand {
		end = "/down/cmd/" + a.st.ID
	}
	for _, t := range a.st.Target {
		out = append(out, a.link.base()+t+end)
	}
	return out
}

// listen subscribes to the answers and states of those it is for, and waits for
// the retained states: who is there.
func (a *asking) listen(ctx context.Context) error {
	a.want, a.states, a.named = make(map[string]string), make(map[string]bool), true
	for _, t := range a.st.Target {
		if t == "all" || strings.HasPrefix(t, "grp/") {
			a.named = false
			continue
		}
		a.want[t] = ""
	}
	var filters []string
	for gw := range a.want {
		filters = append(filters, a.link.base()+gw+"/up/cmd/"+a.st.ID, a.link.base()+gw+"/state")
	}
	if !a.named {
		filters = []string{a.link.base() + "+/up/cmd/" + a.st.ID, a.link.base() + "+/state"}
	}
	if err := a.ch.subscribe(ctx, filters...); err != nil {
		return err
	}
	for timer := time.After(quiet); !a.named || len(a.states) < len(a.want); {
		select {
		case m := <-a.ch.in:
			a.hear(m)
			if m.Retained {
				timer = time.After(quiet)
			}
		case <-timer:
			return nil
		case <-a.ch.session.Lost():
			return a.ch.lost()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// hear takes a message in.
func (a *asking) hear(m uplink.Message) {
	s, err := hear(a.link.base(), m)
	switch {
	case err != nil:
		fmt.Fprintln(a.note, "wardctl:", err)
	case s.state != nil:
		a.states[s.gateway] = s.state.Online
		if _, ok := a.want[s.gateway]; !ok && s.state.Online && slices.Equal(a.st.Target, []string{"all"}) {
			a.want[s.gateway] = ""
		}
	case s.answer != nil && s.answer.ID == a.st.ID && a.want[s.gateway] != s.answer.State:
		a.want[s.gateway] = s.answer.State
		if a.link.json {
			s.asJSON(a.out)
			return
		}
		fmt.Fprintf(a.out, "%s  %s\n", plain(s.gateway), s.answer.summary())
		if len(s.answer.Result) > 0 {
			fmt.Fprint(a.out, indent(s.answer.Result))
		}
	}
}

// indent is JSON for a person.
func indent(text []byte) string {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "    " + plain(string(text)) + "\n"
	}
	b, _ := json.MarshalIndent(v, "    ", "  ")
	var out strings.Builder
	for l := range strings.Lines(string(b)) {
		out.WriteString(plain(strings.TrimSuffix(l, "\n")) + "\n")
	}
	return "    " + strings.TrimPrefix(out.String(), "    ")
}

func final(state string) bool {
	return slices.Contains([]string{"succeeded", "failed", "rejected", "expired"}, state)
}

// settled reports whether nothing more is to come: all are known, and have
// answered or are gone. One that has taken the statement is waited for, also while
// it is gone: a restart may be what it was asked for.
func (a *asking) settled() bool {
	if !a.named && !slices.Equal(a.st.Target, []string{"all"}) {
		return false // who is in a group, only its gateways know
	}
	for gw, state := range a.want {
		if online, known := a.states[gw]; !final(state) && (online || !known || state != "") {
			return false
		}
	}
	return true
}

// send publishes the statement.
func (a *asking) send(ctx context.Context, retain bool) error {
	for _, topic := range a.topics() {
		if err := a.ch.publish(ctx, uplink.Message{Topic: topic, Retained: retain, Payload: a.text}); err != nil {
			return err
		}
	}
	return nil
}

// await hears answers until all are there, or the time is over.
func (a *asking) await(ctx context.Context, patience time.Duration) error {
	over := time.After(patience)
	for !a.settled() {
		select {
		case m := <-a.ch.in:
			a.hear(m)
		case <-over:
			return a.verdict()
		case <-a.ch.session.Lost():
			return a.ch.lost()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return a.verdict()
}

// verdict is what became of it, as an error with an exit code.
func (a *asking) verdict() error {
	worst := outcome{}
	if len(a.want) == 0 {
		worst = outcome{exitSilent, "no gateway has answered"}
	}
	for _, gw := range slices.Sorted(maps.Keys(a.want)) {
		o := outcome{}
		switch state := a.want[gw]; state {
		case "succeeded":
		case "rejected":
			o = outcome{exitRejected, gw + " has rejected it"}
		case "failed":
			o = outcome{exitUndone, gw + ": it failed"}
		case "expired":
			o = outcome{exitUndone, gw + ": it expired"}
		default:
			o = outcome{exitSilent, gw + " has not answered"}
			if online, known := a.states[gw]; known && !online {
				o.text = gw + " is not connected"
			}
			if state != "" {
				o.text = gw + " has not come to an end: " + state
			}
			if a.link.json {
				json.NewEncoder(a.out).Encode(silent{gw, o.text})
			}
		}
		if o.code > worst.code {
			worst = o
		}
	}
	if worst.code == 0 {
		return nil
	}
	worst.text = a.st.ID + ": " + plain(worst.text)
	return worst
}

// silent is a gateway without an answer, as a JSON line.
type silent struct {
	GW    string `json:"gw"`
	Error string `json:"error"`
}
