package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const usage = `usage:
  wardctl replay FILE… [--json] [--facts] [--policy FILE] [--internal NET,…]
      read captures (pcap, pcapng, snoop) as a gateway would: devices with
      their evidence, conversations, and what a policy would deny
      --facts   one JSON line a fact, and no devices
      --json    the same as JSON
  wardctl enrol approve --ca CA.pem --ca-key KEY.pem -o gateway.pem REQUEST.csr
      sign the request of a gateway's console, once you have compared its key
      --days N           how long it is good for (1095)
      --fingerprint KEY  as the console shows it, instead of asking
      --yes              do not ask
  wardctl image provision --image DISK | --esp FOLDER  --board NAME --site NAME
      --gateway NAME --broker mqtts://IP:PORT --ca CA.pem --address IP/BITS
      make a disk, an image of one or its mounted ESP that of one gateway
      --router IP    its way out, if the broker is in another network
      --vlan N       of the gateway itself on the uplink (0: untagged)
      --ward PORT,…  those in use, if not all of the board
      --policy FILE  of the gateway
      --root FILE    the site's root of trust, of wardctl keys root
      --break-glass  open | off: who may break the glass at the console
      --cert FILE    its certificate; alone: of the gateway that is there
` + keysUsage + signUsage + pushUsage + watchUsage + brokerUsage + auditUsage + protocolsUsage + `  wardctl help
`

// Exit codes, as sysexits.h names them.
const (
	exitFailed = 1
	exitUsage  = 64 // EX_USAGE
)

// errUsage says that the words were wrong; it was told already.
var errUsage = errors.New("usage")

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	var err error
	verb := args[0]
	if len(args) > 1 && (verb == "enrol" || verb == "image" || verb == "keys" || verb == "audit") {
		args = args[1:]
		verb += " " + args[0]
	}
	switch verb {
	case "enrol approve":
		err = approve(args[1:], stdin, stdout, stderr)
	case "image provision":
		err = provision(args[1:], stdout, stderr)
	case "keys new":
		err = newKey(args[1:], stdout, stderr)
	case "keys show":
		err = showKeys(args[1:], stdout, stderr)
	case "keys root":
		err = makeRoot(args[1:], stdout, stderr)
	case "sign":
		err = sign(args[1:], stdout, stderr)
	case "push":
		err = push(args[1:], stdout, stderr)
	case "cmd":
		err = command(args[1:], stdout, stderr)
	case "watch":
		err = watch(args[1:], stdout, stderr)
	case "state":
		err = siteState(args[1:], stdout, stderr)
	case "audit verify":
		err = verifyAudit(args[1:], stdout, stderr)
	case "protocols":
		err = protocols(args[1:], stdout, stderr)
	case "replay":
		err = replay(args[1:], stdout, stderr)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	default:
		fmt.Fprintf(stderr, "wardctl: unknown command %q\n%s", verb, usage)
		return exitUsage
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	}
	for _, e := range split(err) {
		fmt.Fprintln(stderr, "wardctl:", e)
	}
	var o outcome
	if errors.As(err, &o) {
		return o.code
	}
	return exitFailed
}

// split takes joined errors apart, one a line.
func split(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

// parse reads flags before, between and behind the other words, as people type
// them, and returns those.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, errUsage
		}
		if fs.NArg() == 0 {
			return words, nil
		}
		words = append(words, fs.Arg(0))
		args = fs.Args()[1:]
	}
}
