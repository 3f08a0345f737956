package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
)

// days is how long a certificate is good for: years, since a gateway in a
// cupboard must find its way back.
const days = 1095

// approve signs what a gateway asks for, after a person has compared its key
// with what the gateway's console shows: the request may have come by any way.
func approve(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("enrol approve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	caFile, keyFile, out := fs.String("ca", "", ""), fs.String("ca-key", "", ""), fs.String("o", "", "")
	life, yes, fingerprint := fs.Int("days", days, ""), fs.Bool("yes", false, ""), fs.String("fingerprint", "", "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) != 1 || *caFile == "" || *keyFile == "" || *out == "" {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	if *life < 1 || *life > 20*365 {
		return fmt.Errorf("--days %d: want 1 to %d", *life, 20*365)
	}
	texts := make(map[string][]byte)
	for _, f := range []string{*caFile, *keyFile, files[0]} {
		if texts[f], err = os.ReadFile(f); err != nil {
			return err
		}
	}
	ca, err := enrol.ReadAuthority(texts[*caFile], texts[*keyFile])
	if err != nil {
		return err
	}
	r, err := enrol.ParseRequest(texts[files[0]])
	if err != nil {
		return fmt.Errorf("%s: %w", files[0], err)
	}
	fmt.Fprintf(stdout, "gateway  %s\nkey      %s\n         %s\n", r.Gateway, r.Fingerprint[:39], r.Fingerprint[40:])
	switch {
	case *fingerprint != "":
		if !enrol.SameFingerprint(*fingerprint, r.Fingerprint) {
			return fmt.Errorf("%s: the key is not that of --fingerprint: not signed", files[0])
		}
	case !*yes:
		fmt.Fprint(stdout, "Does the gateway's console show this key (show request)? Type yes: ")
		answer, err := bufio.NewReader(stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the answer: %w", err)
		}
		if strings.TrimSpace(answer) != "yes" {
			return errors.New("not signed")
		}
	}
	cert, until, err := ca.Approve(r, time.Now(), time.Duration(*life)*24*time.Hour)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*out, cert, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "signed   %s, good until %s\n", *out, until.Format(time.DateOnly))
	return nil
}
