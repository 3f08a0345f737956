package command

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// ratchets are the highest numbers that were accepted: for each root, kind and
// target apart, so that a number without reason ends with the root whose key
// signed it.
type ratchets struct {
	Root int               `json:"root"` // the highest version that was ever in force
	Seq  map[string]uint64 `json:"seq"`
}

const ratchetKey = "command-ratchet"

func ratchetName(root int, k signed.Kind, scope string) string {
	return fmt.Sprintf("%d %s %s", root, k, scope)
}

// loadRatchets reads them. Where a file is damaged the other counts: each number
// is written twice.
func loadRatchets(keep desired.Keep) (ratchets, error) {
	r := ratchets{Seq: make(map[string]uint64)}
	versions, err := keep.All(ratchetKey)
	for _, v := range versions {
		var one ratchets
		if jerr := json.Unmarshal(v, &one); jerr != nil {
			err = errors.Join(err, fmt.Errorf("read the numbers of commands: %w", jerr))
			continue
		}
		r.raise(one)
	}
	return r, err
}

func (r *ratchets) raise(other ratchets) {
	r.Root = max(r.Root, other.Root)
	for k, n := range other.Seq {
		r.Seq[k] = max(r.Seq[k], n)
	}
}

// passes reports that the statement is newer than all that came by its scopes.
func (r *ratchets) passes(st signed.Statement, scopes []string) (highest uint64, ok bool) {
	for _, s := range scopes {
		highest = max(highest, r.Seq[ratchetName(st.Root, st.Kind, s)])
	}
	return highest, st.Seq > highest
}

func (r *ratchets) advance(st signed.Statement, scopes []string) {
	for _, s := range scopes {
		name := ratchetName(st.Root, st.Kind, s)
		r.Seq[name] = max(r.Seq[name], st.Seq)
	}
}

// save writes them twice, so that a damaged file does not bring old ones back.
func (r *ratchets) save(keep desired.Keep) error {
	text, err := json.Marshal(r)
	for range 2 {
		if err == nil {
			err = keep.Put(ratchetKey, text)
		}
	}
	if err != nil {
		return fmt.Errorf("keep the numbers of commands: %w", err)
	}
	return nil
}
