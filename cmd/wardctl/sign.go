package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

const signUsage = `  wardctl sign command OP --root ROOT.dsse --key FILE… --to NAME,… -o FILE.dsse
      sign a command for gateways by name, grp/NAME or all
      ping | diagnostics
      quarantine   --device ID --time 30m [--hooks NAME,…] [--code CODE]
      release      --device ID [--undone]  (by hand, what hooks that are gone owe)
      pin-role     --device ID --role NAME
      tag          --device ID [--tags NAME,…]
      break-glass  --scope gateway|port|device|segment [--name NAME] --time 30m
      mode         --segment NAME --mode observe|stage|enforce (enforce: by who
                   may sign a policy)
      explain      --device ID | [--in PORT] [--out PORT] [--src IP] [--dst IP]
                   [--src-mac MAC] [--dst-mac MAC] [--service tcp/443]
      reboot       [--code CODE]
  wardctl sign policy|config|quarantine|devices --file FILE.toml --root ROOT.dsse
      --key FILE… --to NAME,… -o FILE.dsse
      sign what is to be in force
      --rollback-of SEQ  takes back what was signed with this seq
  wardctl sign cosign FILE.dsse --key FILE… [--root ROOT.dsse] [-o FILE.dsse]
      add signatures to what others signed
  wardctl sign show FILE.dsse [--root ROOT.dsse]
      what it says, who signed it, and whether that is enough
      --reason TEXT      for people and the audit trail
      --for DURATION     how long it may be acted on (10m, at most 1h; of state 87600h)
      --boot-id ID --mono-ms N  of a gateway without trusted time, as its state
                         says: good for that boot only, and so long from then on
      --seq N            instead of the time in ms: gateways take only what is
                         newer, also where another signer's clock was ahead
      sign takes --json: the result as JSON
`

// How long a statement is good, where --for does not say.
const (
	commandLife = 10 * time.Minute
	maxCommand  = time.Hour // a gateway takes none that is good for longer
	stateLife   = 10 * 365 * 24 * time.Hour
	// skew is how far the clocks of who signs and of a gateway may be apart.
	skew = 2 * time.Minute
)

func sign(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, "usage:\n"+signUsage)
		return errUsage
	}
	switch args[0] {
	case "cosign":
		return cosign(args[1:], stdout, stderr)
	case "show":
		return showSigned(args[1:], stdout, stderr)
	}
	return signNew(args, stdout, stderr)
}

// signNew makes a statement and signs it.
func signNew(args []string, stdout, stderr io.Writer) error {
	fs, asJSON := signFlags("sign", signUsage, stderr)
	keys, f := keyFlag(fs), fieldFlags(fs)
	rootName, out, to := fs.String("root", "", ""), fs.String("o", "", ""), fs.String("to", "", "")
	reason, life := fs.String("reason", "", ""), fs.Duration("for", 0, "")
	boot, mono := fs.String("boot-id", "", ""), fs.Int64("mono-ms", 0, "")
	seq, rollback := fs.Uint64("seq", 0, ""), fs.Uint64("rollback-of", 0, "")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	what := strings.Join(words, " ")
	form, ok := forms()[what]
	if !ok {
		fmt.Fprintf(stderr, "wardctl: sign: unknown statement %q\n", what)
	}
	if !ok || *rootName == "" || *out == "" || len(*keys) == 0 || *to == "" {
		fs.Usage()
		return errUsage
	}
	if (*boot == "") != (*mono == 0) {
		return errors.New("--boot-id and --mono-ms: want both or none")
	}
	a, err := form.read(fs, what, f)
	if err != nil {
		return err
	}
	root, err := readRoot(*rootName)
	if err != nil {
		return err
	}
	if *life == 0 {
		if *life = stateLife; words[0] == string(signed.KindCommand) {
			*life = commandLife
		}
	}
	if *life < time.Second {
		return fmt.Errorf("--for %s: want a second at least", *life)
	}
	if words[0] == string(signed.KindCommand) && *life > maxCommand {
		return fmt.Errorf("--for %s: a command may be good for %s at most", *life, maxCommand)
	}
	now := time.Now()
	s := newStatement(now, *life)
	if words[0] == string(signed.KindCommand) && *life+skew > maxCommand {
		s.NotBefore = now.Add(*life - maxCommand).UTC().Format(signed.TimeFormat)
	}
	s.Site, s.Target, s.Root, s.Reason, s.RollbackOf = root.Site(), list(*to), root.Version(), *reason, *rollback
	if *seq != 0 {
		s.Seq = *seq
	}
	if *boot != "" {
		s.BootID, s.DeadlineMS = *boot, *mono+life.Milliseconds()
	}
	if s.Reason == "" {
		s.Reason = what
	}
	if s, err = s.EncodeArgs(a); err != nil {
		return fmt.Errorf("sign %s: %w", what, err)
	}
	e, err := signed.Sign(s, *keys...)
	if err != nil {
		return fmt.Errorf("sign %s: %w", what, err)
	}
	if err := known(e, root.Args().Keys, "not in "+*rootName); err != nil {
		return err
	}
	return writeEnvelope(stdout, *asJSON, *out, e, root)
}

// newStatement is one from now on, with an id and a seq of its own.
func newStatement(now time.Time, life time.Duration) signed.Statement {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	return signed.Statement{V: 1, ID: hex.EncodeToString(id[:]), Seq: uint64(now.UnixMilli()),
		NotBefore: now.Add(-skew).UTC().Format(signed.TimeFormat), Expires: now.Add(life).UTC().Format(signed.TimeFormat)}
}

// list takes names apart at commas, into the order that statements want.
func list(text string) []string {
	out := []string{}
	for n := range strings.SplitSeq(text, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// cosign adds signatures to an envelope, in its file unless -o says another.
func cosign(args []string, stdout, stderr io.Writer) error {
	fs, asJSON := signFlags("sign cosign", signUsage, stderr)
	keys := keyFlag(fs)
	rootName, out := fs.String("root", "", ""), fs.String("o", "", "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) != 1 || len(*keys) == 0 {
		fs.Usage()
		return errUsage
	}
	e, s, root, err := readSigned(files[0], *rootName)
	if err != nil {
		return err
	}
	for _, k := range *keys {
		if e, err = e.Cosign(k); err != nil {
			return fmt.Errorf("%s: %w", files[0], err)
		}
	}
	if err := known(e, keysFor(s, root), "in no root that is given"); root != nil && err != nil {
		return err
	}
	if *out == "" {
		*out = files[0]
	}
	return writeEnvelope(stdout, *asJSON, *out, e, root)
}

// showSigned fails where a root is given and a gateway that has it would refuse.
func showSigned(args []string, stdout, stderr io.Writer) error {
	fs, asJSON := signFlags("sign show", signUsage, stderr)
	rootName := fs.String("root", "", "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		fs.Usage()
		return errUsage
	}
	e, _, root, err := readSigned(files[0], *rootName)
	if err != nil {
		return err
	}
	r, err := judge(files[0], e, root)
	if err != nil {
		return err
	}
	if err := r.print(stdout, *asJSON, true); err != nil || r.Refused == "" || root == nil {
		return err
	}
	return fmt.Errorf("%s: %s", files[0], r.Refused)
}
