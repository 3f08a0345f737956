package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// signReport is what is told of an envelope, as JSON.
type signReport struct {
	File      string           `json:"file"`
	Statement signed.Statement `json:"statement"`
	Signers   []signerReport   `json:"signers"`
	Interlock bool             `json:"interlock"`         // whom it takes for a life-sustaining device have signed
	Refused   string           `json:"refused,omitempty"` // why a gateway with the root would not take it yet
	Reason    string           `json:"reason,omitempty"`  // the same in a word
}

type signerReport struct {
	KeyID string `json:"keyid"`
	Name  string `json:"name,omitempty"` // as the root says, where one is given
}

// readSigned reads an envelope, and the root if one is named.
func readSigned(file, rootName string) (signed.Envelope, signed.Statement, *signed.Root, error) {
	var root *signed.Root
	text, err := os.ReadFile(file)
	if err == nil && rootName != "" {
		root, err = readRoot(rootName)
	}
	if err != nil {
		return signed.Envelope{}, signed.Statement{}, nil, err
	}
	e, err := signed.Parse(text)
	if err != nil {
		return e, signed.Statement{}, nil, fmt.Errorf("%s: %w", file, err)
	}
	s, err := signed.ParseStatement(e.Payload)
	if err != nil {
		return e, s, nil, fmt.Errorf("%s: %w", file, err)
	}
	return e, s, root, nil
}

// keysFor are the keys whose signatures may count: of the root, and for a new
// root those that it brings.
func keysFor(s signed.Statement, root *signed.Root) []signed.RootKey {
	var out []signed.RootKey
	if root != nil {
		out = root.Args().Keys
	}
	if a, err := signed.DecodeArgs[signed.RootArgs](s); err == nil {
		out = append(out, a.Keys...)
	}
	return out
}

// judge says of an envelope what a gateway would that has the root; without
// one, a root is judged by itself.
func judge(file string, e signed.Envelope, root *signed.Root) (signReport, error) {
	s, err := signed.ParseStatement(e.Payload)
	if err != nil {
		return signReport{}, fmt.Errorf("%s: %w", file, err)
	}
	r := signReport{File: file, Statement: s, Signers: []signerReport{}}
	keys := keysFor(s, root)
	for _, g := range e.Signatures {
		o := signerReport{KeyID: g.KeyID}
		for _, k := range keys {
			if k.KeyID == g.KeyID {
				o.Name = k.Name
			}
		}
		r.Signers = append(r.Signers, o)
	}
	switch {
	case root == nil && s.Kind == signed.KindRoot:
		var text []byte
		if text, err = e.Encode(); err == nil {
			_, err = signed.ParseRoot(text)
		}
	case root == nil:
		r.Refused = "not judged without --root"
		return r, nil
	case s.Kind == signed.KindRoot:
		_, err = root.Next(e)
	default:
		var v signed.Verified
		if v, err = root.Verify(e); err != nil && s.RollbackOf != 0 && s.Kind == signed.KindPolicy {
			v, err = root.VerifyReturn(e)
		}
		r.Interlock = v.Interlock()
	}
	if err != nil {
		r.Refused = err.Error()
		if f, ok := errors.AsType[*signed.Refusal](err); ok {
			r.Refused, r.Reason = f.Text, f.Reason()
		}
	}
	return r, nil
}

// writeEnvelope writes it into a file, and tells what it is worth so far.
func writeEnvelope(stdout io.Writer, asJSON bool, file string, e signed.Envelope, root *signed.Root) error {
	text, err := e.Encode()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	r, err := judge(file, e, root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return r.print(stdout, asJSON, false)
}

func (r signReport) print(w io.Writer, asJSON, args bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	s := r.Statement
	what := strings.TrimSpace(string(s.Kind) + " " + s.Op)
	if a, err := signed.DecodeArgs[signed.RootArgs](s); err == nil {
		what = fmt.Sprintf("root version %d", a.Version)
	}
	fmt.Fprintf(w, "%s: %s %s\n  site    %s, for %s\n  seq     %d, under root version %d\n  good    %s to %s\n", r.File, what, s.ID, s.Site, strings.Join(s.Target, ", "), s.Seq, s.Root, s.NotBefore, s.Expires)
	if s.BootID != "" {
		fmt.Fprintf(w, "  boot    %s, until %d ms of it\n", s.BootID, s.DeadlineMS)
	}
	if s.RollbackOf != 0 {
		fmt.Fprintf(w, "  back    takes back seq %d\n", s.RollbackOf)
	}
	fmt.Fprintf(w, "  reason  %s\n", s.Reason)
	if args {
		fmt.Fprintf(w, "  args    %s\n", s.Args)
	}
	for _, g := range r.Signers {
		fmt.Fprintf(w, "  signed  %s\n", strings.TrimSpace(g.Name+" "+g.KeyID))
	}
	verdict := "enough signatures"
	if r.Interlock {
		verdict += ", also for the interlock"
	}
	if r.Refused != "" {
		verdict = "not enough: " + r.Refused
	}
	_, err := fmt.Fprintf(w, "  %s\n", verdict)
	return err
}
