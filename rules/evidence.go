package rules

import "fmt"

// Evidence is the kind of thing a signature rests on. Of all signatures of one
// evidence only the weightiest counts for a role: ten host names say no more
// than one.
type Evidence uint8

// The kinds of evidence. The weights are log-odds, to base e, that the device has
// the role; each kind has a most.
const (
	// Type: a protocol field that says what kind of device it is.
	Type Evidence = iota + 1
	// Model: a field or banner that names the product.
	Model
	// Protocol: a protocol only such devices speak was recognised.
	Protocol
	// Behaviour: who opens, who serves, how many.
	Behaviour
	// DHCP: the vendor class of option 60.
	DHCP
	// Product: a factory-set host name that is the product's name.
	Product
	// OUI: the owner of the MAC prefix.
	OUI
	// Announced: a service type in mDNS, SSDP or WS-Discovery.
	Announced
	// Peers: names that the device asks for.
	Peers
	// Port: a port number alone.
	Port
	// Stack: an operating system or a library.
	Stack
	// Name: a pattern of host names that people give.
	Name
)

// evidenceRow is the name of an evidence and the most one signature of it may
// weigh.
type evidenceRow struct {
	evidence Evidence
	name     string
	most     float64
}

func evidenceRows() []evidenceRow {
	return []evidenceRow{
		{Type, "type", 6}, {Model, "model", 5}, {Protocol, "protocol", 4}, {Behaviour, "behaviour", 3},
		{DHCP, "dhcp", 3}, {Product, "product", 3}, {OUI, "oui", 2}, {Announced, "announced", 2},
		{Peers, "peers", 1}, {Port, "port", 1}, {Stack, "stack", 1}, {Name, "name", 1},
	}
}

// MostAgainst is the most a signature may weigh against a role.
const MostAgainst = -2

// String is the stable name.
func (e Evidence) String() string {
	for _, r := range evidenceRows() {
		if r.evidence == e {
			return r.name
		}
	}
	return "invalid"
}

// Most is the weight a signature of this evidence may have.
func (e Evidence) Most() float64 {
	for _, r := range evidenceRows() {
		if r.evidence == e {
			return r.most
		}
	}
	return 0
}

// MarshalText writes the name, never the number.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads the name.
func (e *Evidence) UnmarshalText(b []byte) error {
	for _, r := range evidenceRows() {
		if r.name == string(b) {
			*e = r.evidence
			return nil
		}
	}
	return fmt.Errorf("evidence %q: want type, model, protocol, behaviour, dhcp, product, oui, announced, peers, port, stack or name", b)
}
