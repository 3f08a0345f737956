package main

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

const keysUsage = `  wardctl keys new -o FILE
      make a key to sign with: FILE is its owner's alone, FILE.pub is for all
  wardctl keys show FILE…
      name keys by their id, of FILE or FILE.pub
  wardctl keys root ROOT.toml --key FILE… -o ROOT.dsse
      say who may sign what at a site (see the README), signed with the keys
      --from ROOT.dsse  the root that is in force: make the one that follows
      --days N          until when wardctl sends it (3650); a gateway that was away
                        takes version after version all the same
      keys take --json: the result as JSON
`

// keyReport is what is told of a key, as JSON.
type keyReport struct {
	File   string            `json:"file"`
	KeyID  string            `json:"keyid"`
	Public ed25519.PublicKey `json:"public"`
}

// newKey makes a key that only its owner can read. It never overwrites one:
// what was signed with it could never be followed.
func newKey(args []string, stdout, stderr io.Writer) error {
	fs, asJSON := signFlags("keys new", keysUsage, stderr)
	out := fs.String("o", "", "")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) > 0 || *out == "" {
		fs.Usage()
		return errUsage
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	private, err := signed.EncodeKey(key)
	if err != nil {
		return err
	}
	open, err := signed.EncodePublic(public)
	if err != nil {
		return err
	}
	if err := create(*out, private, 0o600); err != nil {
		return err
	}
	if err := create(*out+".pub", open, 0o644); err != nil {
		return errors.Join(err, os.Remove(*out))
	}
	return printKey(stdout, *asJSON, *out, public)
}

// create writes a file that was not there.
func create(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name)) // half a key is none
	}
	return nil
}

func showKeys(args []string, stdout, stderr io.Writer) error {
	fs, asJSON := signFlags("keys show", keysUsage, stderr)
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		fs.Usage()
		return errUsage
	}
	for _, f := range files {
		public, err := readPublic(f)
		if err != nil {
			return err
		}
		if err := printKey(stdout, *asJSON, f, public); err != nil {
			return err
		}
	}
	return nil
}

func printKey(w io.Writer, asJSON bool, file string, public ed25519.PublicKey) error {
	r := keyReport{File: file, KeyID: signed.KeyID(public), Public: public}
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	text, err := json.Marshal(public) // base64, as in a root
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n  keyid   %s\n  public  %s\n", r.File, r.KeyID, text[1:len(text)-1])
	return err
}

func readPublic(file string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	public, err := signed.ParsePublic(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return public, nil
}

// signFlags are the flags of a command about signing.
func signFlags(name, usage string, stderr io.Writer) (*flag.FlagSet, *bool) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, "usage:\n"+usage) }
	return fs, fs.Bool("json", false, "")
}

// keyFlag collects the private keys of files that --key names.
func keyFlag(fs *flag.FlagSet) *[]ed25519.PrivateKey {
	var keys []ed25519.PrivateKey
	fs.Func("key", "", func(file string) error {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		key, err := signed.ParseKey(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		keys = append(keys, key)
		return nil
	})
	return &keys
}
