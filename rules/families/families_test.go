package families

import (
	"slices"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/rules"
)

// TestEverySignatureHasItsPlace: a signature is of a family or by name of none,
// and no name in the table is of a signature that is gone.
func TestEverySignatureHasItsPlace(t *testing.T) {
	tab, err := load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	lists := [][]string{tab.Others}
	for _, f := range tab.Family {
		lists = append(lists, f.Signatures)
	}
	for _, sig := range set.Signatures {
		other := named(tab.Others, sig.ID)
		if ofOne := slices.ContainsFunc(lists[1:], func(l []string) bool { return named(l, sig.ID) }); ofOne == other {
			t.Errorf("%s: of a family %v, of none %v", sig.ID, ofOne, other)
		}
	}
	for _, l := range lists {
		for _, p := range l {
			if !slices.ContainsFunc(set.Signatures, func(s *rules.Signature) bool { return named([]string{p}, s.ID) }) {
				t.Errorf("%q is no signature", p)
			}
		}
	}
}

// TestFamiliesAreTheReferences: the table has all families, each known in one
// way, and a MAC prefix only where the maker's name is in the signature.
func TestFamiliesAreTheReferences(t *testing.T) {
	set, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Coverage(set)
	if err != nil {
		t.Fatal(err)
	}
	medical := 0
	seen := map[string]bool{}
	for _, k := range all {
		if !k.Support {
			medical++
		}
		if name := k.Vendor + " " + k.Models; k.Vendor == "" || k.Models == "" || k.Is == "" || seen[name] {
			t.Errorf("family %+v lacks something, or stands twice", k.Family)
		} else {
			seen[name] = true
		}
		if (k.Basis == 0) != (len(k.Signatures) == 0) {
			t.Errorf("%s %s: basis %v of %d signatures", k.Vendor, k.Models, k.Basis, len(k.Signatures))
		}
		for _, s := range k.Signatures {
			if s.Evidence == rules.OUI && !makes(set, k.Vendor, s) {
				t.Errorf("%s %s: %s names other makers", k.Vendor, k.Models, s.ID)
			}
		}
	}
	if medical != 99 || len(all) != 107 {
		t.Errorf("%d families, %d of them medical, want the 107 and 99 of the reference", len(all), medical)
	}
}

// makes reports a signature of MAC prefixes that names the vendor of a family, or
// one of several: "Carestream/Agfa".
func makes(set *rules.Set, vendor string, s *rules.Signature) bool {
	return slices.ContainsFunc(strings.Split(strings.ReplaceAll(vendor, ", ", "/"), "/"), func(one string) bool {
		known, _ := set.Vendors.ByName(one)
		word, _, _ := strings.Cut(strings.ToLower(one), " ")
		return slices.ContainsFunc(s.Equals, func(maker string) bool {
			return maker == strings.ToLower(known.Name) || strings.HasPrefix(maker, word)
		})
	})
}
