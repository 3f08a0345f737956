package rules

import (
	"fmt"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// Vendor is one row of vendors.toml: the one spelling of a vendor's name, and
// the spellings of it that are met.
type Vendor struct {
	Name string `toml:"name"`
	// Registry lists owners in the IEEE registry: each matches an owner that
	// is it, or begins with it as whole words.
	Registry []string `toml:"registry"`
	// Aliases are what devices call it, in whole.
	Aliases []string `toml:"aliases"`
	// Module: makes the radio or network part inside other vendors' devices;
	// its MAC says nothing of the device.
	Module bool `toml:"module"`
	// Computer: makes general-purpose computers; its MAC says nothing of what
	// the computer is used for.
	Computer bool `toml:"computer"`
}

// Vendors is the vocabulary of vendors. It is immutable.
type Vendors struct {
	list     []Vendor
	registry map[string]int // folded registry spelling
	names    map[string]int // folded name or alias
}

// parseVendors reads vendors.toml.
func parseVendors(file string, data []byte) (Vendors, error) {
	var raw struct {
		Vendor []Vendor `toml:"vendor"`
	}
	if err := strict.Decode(file, data, &raw); err != nil {
		return Vendors{}, err
	}
	v := Vendors{list: raw.Vendor, registry: map[string]int{}, names: map[string]int{}}
	for i, x := range raw.Vendor {
		at := lineOf(data, "name", x.Name)
		if x.Name == "" {
			return Vendors{}, fmt.Errorf("%s:%d: vendor without a name", file, at)
		}
		for _, s := range append([]string{x.Name}, x.Aliases...) {
			if j, dup := v.names[fold(s)]; dup {
				return Vendors{}, fmt.Errorf("%s:%d: vendor %q: %q names %q already", file, at, x.Name, s, raw.Vendor[j].Name)
			}
			v.names[fold(s)] = i
		}
		for _, s := range x.Registry {
			if j, dup := v.registry[fold(s)]; dup {
				return Vendors{}, fmt.Errorf("%s:%d: vendor %q: registry spelling %q is %q's", file, at, x.Name, s, raw.Vendor[j].Name)
			}
			v.registry[fold(s)] = i
		}
	}
	return v, nil
}

// ByName finds a vendor by its name or an alias.
func (v Vendors) ByName(s string) (Vendor, bool) {
	i, ok := v.names[fold(s)]
	if !ok {
		return Vendor{}, false
	}
	return v.list[i], true
}

// ByRegistry finds the vendor behind an owner in the IEEE registry; of several
// spellings that fit, the longest counts.
func (v Vendors) ByRegistry(owner string) (Vendor, bool) {
	for s := fold(owner); s != ""; {
		if i, ok := v.registry[s]; ok {
			return v.list[i], true
		}
		cut := strings.LastIndexByte(s, ' ')
		if cut < 0 {
			break
		}
		s = s[:cut]
	}
	return Vendor{}, false
}

// List returns all vendors in the order of the file.
func (v Vendors) List() []Vendor { return append([]Vendor(nil), v.list...) }

// fold makes spellings comparable: lower case, letters and digits only, one
// space between words; an apostrophe parts no words.
func fold(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f {
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		gap = gap || r != '\''
	}
	return b.String()
}
