package classify

import (
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/rules"
	"github.com/wardkeeper/wardkeeper/rules/vendors"
)

func embedded(t testing.TB) *Classifier {
	t.Helper()
	set, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	tab, err := vendors.Load()
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Rules: set, Registry: tab, Dwell: DefaultDwell})
}

// unowned is a global MAC in no vendor's block, so that only facts speak.
func unowned() fact.MAC { return fact.MAC{0xfc, 0xff, 0xff, 0, 0, 1} }

func deviceOf(ex rules.Example) device.Device {
	d := device.Device{MAC: unowned(), IPs: ex.Addresses}
	for _, f := range ex.Facts {
		d.Facts = append(d.Facts, device.Known{Kind: f.Kind, Value: f.Value})
	}
	return d
}

// TestExamples replays every example of every signature: the signature must
// match, and the identity must be the one that the example wants.
func TestExamples(t *testing.T) {
	c := embedded(t)
	for _, s := range c.opt.Rules.Signatures {
		for i, ex := range s.Examples {
			d := deviceOf(ex)
			matched := false
			tal := c.tally(&d)
			for _, h := range tal.hits {
				matched = matched || h.sig == s
			}
			if !matched {
				t.Errorf("%s: %s: example %d: the signature does not match", s.File, s.ID, i+1)
				continue
			}
			id := c.Classify(d, time.Hour)
			w := ex.Want
			for _, x := range []struct{ what, got, want string }{
				{"role", string(id.Role), string(w.Role)}, {"vendor", id.Vendor.Value, w.Vendor},
				{"model", id.Model.Value, w.Model}, {"version", id.Version.Value, w.Version}, {"serial", id.Serial.Value, w.Serial},
			} {
				if x.want != "" && x.got != x.want {
					t.Errorf("%s: %s: example %d: %s %q, want %q (score %v, margin %v over %s)", s.File, s.ID, i+1, x.what, x.got, x.want, id.Score, id.Margin, id.RunnerUp)
				}
			}
			if w.Confidence != 0 && id.Confidence != w.Confidence {
				t.Errorf("%s: %s: example %d: confidence %s, want %s (score %v, margin %v over %s)", s.File, s.ID, i+1, id.Confidence, w.Confidence, id.Score, id.Margin, id.RunnerUp)
			}
		}
	}
}

// Every fact of an example must be one that can exist as it stands there: a
// value that the PHI gate would change or keep back proves nothing.
func TestExampleFactsPassTheGate(t *testing.T) {
	for _, s := range embedded(t).opt.Rules.Signatures {
		for i, ex := range s.Examples {
			for _, f := range ex.Facts {
				v, ok := fact.New(f.Kind, f.Value)
				if !ok || v.Personal() || v.String() != f.Value {
					t.Errorf("%s: example %d: fact %s %q becomes %q (personal %v) at the gate", s.ID, i+1, f.Kind, f.Value, v, v.Personal())
				}
			}
		}
	}
}
