package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/klauspost/compress/zstd"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

// answer is what a gateway says of a signed statement. It is not signed itself:
// who holds the broker could have made it up.
type answer struct {
	V      int             `json:"v"`
	ID     string          `json:"id"`
	State  string          `json:"state"`
	Reason string          `json:"reason,omitempty"`
	Text   string          `json:"text,omitempty"`
	Time   string          `json:"time"`
	BootID string          `json:"boot_id"`
	Result json.RawMessage `json:"result,omitempty"`
}

// said is a message of a gateway, read.
type said struct {
	gateway string
	state   *event.GatewayState // one of these three
	answer  *answer
	lines   [][]byte // envelopes, as they were sent
	raw     []byte   // of state or answer
}

// hear reads a message that came on a topic below base.
func hear(base string, m uplink.Message) (said, error) {
	rest, ok := strings.CutPrefix(m.Topic, base)
	gateway, what, _ := strings.Cut(rest, "/")
	s := said{gateway: gateway, raw: m.Payload}
	switch {
	case !ok || gateway == "":
		return s, fmt.Errorf("%q: no topic of a gateway", m.Topic)
	case what == "state":
		s.state = new(event.GatewayState)
		if err := json.Unmarshal(m.Payload, s.state); err != nil {
			return s, fmt.Errorf("%s: state: %w", plain(gateway), err)
		}
		if s.state.GW != gateway {
			return s, fmt.Errorf("%s: state of %s", plain(gateway), plain(s.state.GW))
		}
		return s, nil
	case strings.HasPrefix(what, "up/cmd/"):
		s.answer = new(answer)
		if err := json.Unmarshal(m.Payload, s.answer); err != nil {
			return s, fmt.Errorf("%s: answer: %w", plain(gateway), err)
		}
		if s.answer.ID != strings.TrimPrefix(what, "up/cmd/") {
			return s, fmt.Errorf("%s: answer to %s on the topic of another", plain(gateway), plain(s.answer.ID))
		}
		return s, nil
	case !strings.HasPrefix(what, "up/"):
		return s, fmt.Errorf("%q: no topic of what a gateway says", m.Topic)
	}
	text, err := unpack(m.Payload)
	if err != nil {
		return s, fmt.Errorf("%s: %s: %w", plain(gateway), plain(what), err)
	}
	for l := range bytes.Lines(text) {
		if l = bytes.TrimSuffix(l, []byte("\n")); !json.Valid(l) {
			return s, fmt.Errorf("%s: %s: a line is no JSON", plain(gateway), plain(what))
		}
		s.lines = append(s.lines, l)
	}
	return s, nil
}

// unpack takes a batch apart: JSON lines, or zstd of them. A batch is 64 KiB at
// most; what claims to be more is not read.
func unpack(payload []byte) ([]byte, error) {
	if len(payload) > 0 && payload[0] == '{' {
		return payload, nil
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(1<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	defer d.Close()
	out, err := d.DecodeAll(payload, nil)
	if err != nil {
		return nil, errors.New("neither JSON lines nor zstd")
	}
	return out, nil
}

// told is a said as a JSON line; an event is its envelope, unchanged.
type told struct {
	GW     string          `json:"gw"`
	State  json.RawMessage `json:"state,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// asJSON writes JSON lines.
func (s said) asJSON(w io.Writer) error {
	switch {
	case s.state != nil:
		return json.NewEncoder(w).Encode(told{GW: s.gateway, State: s.raw})
	case s.answer != nil:
		return json.NewEncoder(w).Encode(told{GW: s.gateway, Answer: s.raw})
	}
	for _, l := range s.lines {
		if _, err := fmt.Fprintf(w, "%s\n", l); err != nil {
			return err
		}
	}
	return nil
}

// asText writes a line for a person each.
func (s said) asText(w io.Writer) error {
	switch {
	case s.state != nil:
		what := "is there, version " + s.state.Version
		if !s.state.Online {
			what = "is gone"
		}
		_, err := fmt.Fprintf(w, "%s  %s  %s\n", stamp(s.state.Time), plain(s.gateway), plain(what))
		return err
	case s.answer != nil:
		_, err := fmt.Fprintf(w, "%s  %s  answer to %s: %s\n", stamp(s.answer.Time), plain(s.gateway), plain(s.answer.ID), s.answer.summary())
		return err
	}
	for _, l := range s.lines {
		var e event.Envelope
		if err := json.Unmarshal(l, &e); err != nil {
			return fmt.Errorf("%s: event: %w", plain(s.gateway), err)
		}
		if _, err := fmt.Fprintf(w, "%s  %s  %s %d  %s  %s\n", stamp(e.Time), plain(s.gateway), plain(e.Class), e.Seq, plain(e.Kind), plain(string(e.Body))); err != nil {
			return err
		}
	}
	return nil
}

// stamp is a time of a gateway, in a column; the will has none.
func stamp(s string) string { return fmt.Sprintf("%-24s", plain(s)) }

// summary is an answer for a person, in one line.
func (a answer) summary() string {
	out := a.State
	if a.Reason != "" {
		out += " (" + a.Reason + ")"
	}
	if a.Text != "" {
		out += ": " + a.Text
	}
	return plain(out)
}

// plain keeps what would move a terminal's cursor, or worse, from it: what is
// shown came over a network.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '_'
	}, s)
}
