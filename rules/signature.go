package rules

import (
	"net/netip"
	"regexp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Signature is one rule of fingerprints/*.toml: a fact of one of its kinds whose
// value it matches is evidence for roles, or states attributes, or both.
type Signature struct {
	ID    string      `toml:"id"`
	Kinds []fact.Kind `toml:"kinds"`

	// Exactly one way to match. All but Match ignore ASCII case.
	Equals   []string `toml:"equals"`
	Prefix   []string `toml:"prefix"`
	Suffix   []string `toml:"suffix"`
	Contains []string `toml:"contains"`
	Match    string   `toml:"match"` // RE2, anchored at the start, by ^ or (^|…

	// Evidence and the weight for (or, below zero, against) each role.
	Evidence Evidence                `toml:"evidence"`
	Roles    map[device.Role]float64 `toml:"roles"`

	// Attributes, with $1 or ${name} for groups of Match and $0 for the value.
	Vendor  string `toml:"vendor"`
	Model   string `toml:"model"`
	Version string `toml:"version"`
	Serial  string `toml:"serial"`
	// Confidence of the attributes; likely where it is not given.
	Confidence device.Confidence `toml:"confidence"`

	Source   string    `toml:"source"` // where this is known from
	Basis    Basis     `toml:"basis"`  // what that rests on; the file's where it is not given
	Examples []Example `toml:"examples"`

	File string `toml:"-"` // it stands in

	re *regexp.Regexp
}

// Example is a device, and what must come out for it. Each is replayed by a test.
type Example struct {
	Facts     []ExampleFact `toml:"facts"`
	Addresses []netip.Addr  `toml:"addresses"` // its source addresses
	Want      Want          `toml:"want"`
}

// ExampleFact is one fact of an example.
type ExampleFact struct {
	Kind  fact.Kind `toml:"kind"`
	Value string    `toml:"value"`
}

// Want is the identity that the facts of an example must give; what is empty is
// not looked at.
type Want struct {
	Role       device.Role       `toml:"role"`
	Confidence device.Confidence `toml:"confidence"`
	Vendor     string            `toml:"vendor"`
	Model      string            `toml:"model"`
	Version    string            `toml:"version"`
	Serial     string            `toml:"serial"`
}

// Attributes are what a signature states of the device whose fact it matched.
type Attributes struct {
	Vendor, Model, Version, Serial string
}

// Attributes expands the signature's templates for a value that it matched. The
// vendor is put in our spelling where it has one.
func (s *Signature) Attributes(value string, v Vendors) Attributes {
	a := Attributes{s.expand(s.Vendor, value), s.expand(s.Model, value), s.expand(s.Version, value), s.expand(s.Serial, value)}
	if known, ok := v.ByName(a.Vendor); ok {
		a.Vendor = known.Name
	}
	return a
}

// States reports whether the signature states any attribute.
func (s *Signature) States() bool {
	return s.Vendor != "" || s.Model != "" || s.Version != "" || s.Serial != ""
}
