package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/know/classify"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
)

// report is what replay says of one file, as JSON.
type report struct {
	File     string         `json:"file"`
	Frames   uint64         `json:"frames"`
	Devices  []deviceReport `json:"devices"`
	Segments []string       `json:"segments,omitempty"` // of the policy, with how many devices
}

type deviceReport struct {
	Device        device.ID         `json:"device"`
	IPs           []string          `json:"ips"`
	Identity      device.Identity   `json:"identity"`
	Segment       string            `json:"segment,omitempty"`
	Mode          string            `json:"mode,omitempty"`
	Why           []classify.Reason `json:"why"`
	Conversations []conversation    `json:"conversations"`
	Refused       []refusal         `json:"refused,omitempty"`
}

type conversation struct {
	Peer        string `json:"peer"`
	Service     string `json:"service"`
	Opener      string `json:"opener"`
	Answered    bool   `json:"answered"`
	PacketsFrom uint64 `json:"packets_from"`
	BytesFrom   uint64 `json:"bytes_from"`
	PacketsTo   uint64 `json:"packets_to"`
	BytesTo     uint64 `json:"bytes_to"`
}

// print writes the report of one file.
func (r *replayer) print(name string, stats extract.Stats, snap *device.Snapshot) error {
	compiled, err := r.denied(snap)
	if err != nil {
		return err
	}
	rep := report{File: name, Frames: stats.Frames}
	if compiled != nil {
		for _, s := range compiled.Segments {
			rep.Segments = append(rep.Segments, fmt.Sprintf("%s: %s, %d enforced, %d staged, %d observed", s.Name, s.Mode, s.Enforced, s.Staged, s.Observed))
		}
	}
	for _, d := range snap.Devices {
		dr := deviceReport{Device: d.ID, Identity: d.Identity, Why: r.classifier.Explain(d), Refused: refusals(compiled, d)}
		for _, a := range d.IPs {
			dr.IPs = append(dr.IPs, a.String())
		}
		for _, v := range d.Conversations {
			dr.Conversations = append(dr.Conversations, conversation{Peer: peerName(v), Service: v.Service.String(), Opener: v.Opener.String(),
				Answered: v.Answered, PacketsFrom: v.PacketsFrom, BytesFrom: v.BytesFrom, PacketsTo: v.PacketsTo, BytesTo: v.BytesTo})
		}
		if compiled != nil {
			if m, ok := compiled.Member(d.ID); ok {
				dr.Segment, dr.Mode = m.Segment, m.Mode.String()
			}
		}
		rep.Devices = append(rep.Devices, dr)
	}
	if r.json {
		return json.NewEncoder(r.out).Encode(rep)
	}
	return r.text(rep)
}

// shown is how many conversations of a device the text lists.
const shown = 12

func (r *replayer) text(rep report) error {
	w := bufio.NewWriter(r.out)
	fmt.Fprintf(w, "%s: %d frames, %d devices\n", rep.File, rep.Frames, len(rep.Devices))
	for _, s := range rep.Segments {
		fmt.Fprintf(w, "  segment %s\n", s)
	}
	for _, d := range rep.Devices {
		id := d.Identity
		fmt.Fprintf(w, "\n%s  %s (%s, %s)", d.Device, id.Role, id.Confidence, id.Class)
		for _, a := range []string{id.Vendor.Value, id.Model.Value, id.Version.Value} {
			if a != "" {
				fmt.Fprintf(w, "  %s", a)
			}
		}
		fmt.Fprintln(w)
		if len(d.IPs) > 0 {
			fmt.Fprintf(w, "  at %s\n", strings.Join(d.IPs, ", "))
		}
		if d.Segment != "" {
			fmt.Fprintf(w, "  in segment %s: %s\n", d.Segment, d.Mode)
		}
		if id.Contradiction != "" {
			fmt.Fprintf(w, "  contradiction: %s\n", id.Contradiction)
		}
		for _, e := range d.Why {
			hint := ""
			if e.Hint {
				hint = ", hint"
			}
			fmt.Fprintf(w, "  %+5.1f  %-24s %s (%s%s)\n", e.Weight, e.Role, e.Signature, e.Kind, hint)
		}
		for i, c := range d.Conversations {
			if i == shown {
				fmt.Fprintf(w, "  … and %d more conversations\n", len(d.Conversations)-shown)
				break
			}
			state := "answered"
			if !c.Answered {
				state = "attempted"
			}
			fmt.Fprintf(w, "  %-10s %-24s opened by %-8s %s, %d packets out, %d in\n", c.Service, c.Peer, c.Opener, state, c.PacketsFrom, c.PacketsTo)
		}
		for _, f := range d.Refused {
			fmt.Fprintf(w, "  %s: %s %s: %s\n", f.Verdict, f.Service, f.Peer, f.Why)
		}
	}
	return w.Flush()
}
