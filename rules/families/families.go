package families

import (
	_ "embed"
	"fmt"
	"path"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/strict"
	"github.com/wardkeeper/wardkeeper/rules"
)

//go:embed families.toml
var content []byte

// Family is a row of families.toml.
type Family struct {
	Vendor     string   `toml:"vendor"`
	Models     string   `toml:"models"`
	Is         string   `toml:"is"`         // what kind of device
	Support    bool     `toml:"support"`    // neither medical nor for care
	Signatures []string `toml:"signatures"` // ids, or patterns of them as of package path
}

// Known is a family and the signatures that know it.
type Known struct {
	Family
	Basis      rules.Basis // the best of them, the MAC's counting only where it stands alone; zero where there are none
	Signatures []*rules.Signature
}

// table is families.toml.
type table struct {
	Others []string `toml:"others"` // signatures of no family
	Family []Family `toml:"family"`
}

func load() (t table, err error) {
	if err := strict.Decode("families.toml", content, &t); err != nil {
		return table{}, fmt.Errorf("read families: %w", err)
	}
	return t, nil
}

// Coverage lists all families in the order of the file, with what set knows of
// each.
func Coverage(set *rules.Set) ([]Known, error) {
	t, err := load()
	if err != nil {
		return nil, err
	}
	var all []Known
	for _, f := range t.Family {
		k := Known{Family: f}
		for _, sig := range set.Signatures {
			if named(f.Signatures, sig.ID) {
				k.Signatures = append(k.Signatures, sig)
			}
		}
		for _, sig := range k.Signatures {
			if sig.Evidence != rules.OUI || k.MACAlone() {
				k.Basis = max(k.Basis, sig.Basis)
			}
		}
		all = append(all, k)
	}
	return all, nil
}

// MACAlone reports a family of which only the maker of the MAC is known.
func (k Known) MACAlone() bool {
	return len(k.Signatures) > 0 && !slices.ContainsFunc(k.Signatures, func(s *rules.Signature) bool { return s.Evidence != rules.OUI })
}

// named reports an id that is in a list or matches a pattern of it.
func named(list []string, id string) bool {
	return slices.ContainsFunc(list, func(p string) bool {
		ok, err := path.Match(p, id)
		return ok && err == nil
	})
}
