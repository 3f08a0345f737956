package main

import (
	"encoding/json"
	"io"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// factLine is one fact as a line that corpora are compared with.
type factLine struct {
	File  string `json:"file"`
	MAC   string `json:"mac"`
	IP    string `json:"ip"`
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Class string `json:"class,omitempty"` // "personal": the value, or a bed label in it, was kept back
}

// factWriter writes each fact of a file once.
type factWriter struct {
	out  io.Writer
	file string
	seen map[string]bool
	err  error
}

func (w *factWriter) write(b fact.Batch) {
	for _, f := range b.Facts {
		l := factLine{File: w.file, Kind: string(f.Kind), Value: f.Value.String()}
		if f.MAC != (fact.MAC{}) {
			l.MAC = f.MAC.String()
		}
		if f.IP.IsValid() {
			l.IP = f.IP.String()
		}
		if f.Value.Personal() || f.Value.Cut() {
			l.Class = "personal"
		}
		line, err := json.Marshal(l)
		if err != nil {
			w.err = err
			return
		}
		if w.seen[string(line)] {
			continue
		}
		w.seen[string(line)] = true
		if _, err := w.out.Write(append(line, '\n')); err != nil {
			w.err = err
			return
		}
	}
}
