package sim

import (
	"bytes"
	"testing"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// TestBedsideSpeaksOfThePatient: what the lab searches for is in what each
// device of a ward says or is told; otherwise that nothing was found means
// nothing.
func TestBedsideSpeaksOfThePatient(t *testing.T) {
	for _, kind := range cast.Kinds() {
		for seed := range uint64(20) {
			c := cast.NewKind(seed, kind)
			s := Stage{Ward: &ward.Ward{Cast: c}}
			said := map[cast.Part][]byte{}
			for _, x := range s.Scenes() {
				for n := range 2 {
					for _, m := range x.say(n) {
						if x.hear != nil {
							m = append(m, x.hear(m)...)
						}
						said[x.From], said[x.To] = append(said[x.From], m...), append(said[x.To], m...)
						if len(m) > 1400 {
							t.Errorf("%v: %s is of %d bytes, more than one segment", x.From, x.What, len(m))
						}
					}
				}
			}
			for _, p := range c.Parts() {
				if !p.Bedside() || p.Uplink() || p == cast.Cooximeter || p == cast.AS50 { // whose lines have no place for a person
					continue
				}
				found := false
				for _, secret := range []string{c.Patient.Family, c.Patient.Given, c.Patient.ID} {
					found = found || bytes.Contains(said[p], []byte(secret))
				}
				if !found {
					t.Errorf("%s, seed %d: %v says nothing of the patient in %d bytes", kind, seed, p, len(said[p]))
				}
			}
		}
	}
}
