package device

import "fmt"

// Role is what a device is for: one of rules/roles.toml, with hyphens.
type Role string

// RoleUnknown is the role of a device without enough evidence for any.
const RoleUnknown Role = "unknown"

// SafetyClass is what hangs on a device working.
type SafetyClass uint8

// Safety classes, the one with most at stake first.
const (
	LifeSustaining SafetyClass = iota + 1
	Clinical
	Support
	Infrastructure
	Other
)

// String is the stable name.
func (c SafetyClass) String() string {
	switch c {
	case LifeSustaining:
		return "life-sustaining"
	case Clinical:
		return "clinical"
	case Support:
		return "support"
	case Infrastructure:
		return "infrastructure"
	case Other:
		return "other"
	}
	return "invalid"
}

// MarshalText writes the name, never the number.
func (c SafetyClass) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the name.
func (c *SafetyClass) UnmarshalText(b []byte) error {
	for k := LifeSustaining; k <= Other; k++ {
		if k.String() == string(b) {
			*c = k
			return nil
		}
	}
	return fmt.Errorf("safety class %q: want life-sustaining, clinical, support, infrastructure or other", b)
}

// Confidence is how sure an identity or attribute is.
type Confidence uint8

// Confidences. Only Confirmed (or a pin) puts a device under enforcement.
const (
	Candidate Confidence = iota + 1
	Likely
	Confirmed
)

// String is the stable name; "none" for the zero value, which says that there
// is nothing to be sure of.
func (c Confidence) String() string {
	switch c {
	case Candidate:
		return "candidate"
	case Likely:
		return "likely"
	case Confirmed:
		return "confirmed"
	}
	return "none"
}

// MarshalText writes the name, never the number.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the name.
func (c *Confidence) UnmarshalText(b []byte) error {
	for k := Confidence(0); k <= Confirmed; k++ {
		if k.String() == string(b) {
			*c = k
			return nil
		}
	}
	return fmt.Errorf("confidence %q: want none, candidate, likely or confirmed", b)
}

// Identity is who a device is taken for, and why.
type Identity struct {
	Role       Role        `json:"role"`
	Class      SafetyClass `json:"safety_class"`
	Confidence Confidence  `json:"confidence"`
	Score      float64     `json:"score"`  // log-odds of the role
	Margin     float64     `json:"margin"` // over the runner-up
	RunnerUp   Role        `json:"runner_up,omitempty"`
	Pinned     bool        `json:"pinned,omitempty"` // a person said so
	Vendor     Attribute   `json:"vendor"`
	Model      Attribute   `json:"model"`
	Version    Attribute   `json:"version"`
	Serial     Attribute   `json:"serial"`
	Evidence   []Evidence  `json:"evidence,omitempty"` // weightiest first
	// Contradiction says what does not fit together, "" if nothing: a gateway,
	// or a spoof.
	Contradiction string `json:"contradiction,omitempty"`
}

// Attribute is one property with its own confidence.
type Attribute struct {
	Value      string     `json:"value,omitempty"`
	Confidence Confidence `json:"confidence"`
	Signature  string     `json:"signature,omitempty"` // id of the signature it came from
}

// Evidence is one signature that matched, for one role.
type Evidence struct {
	Signature string  `json:"signature"`
	Kind      string  `json:"kind"` // fact kind
	Role      Role    `json:"role,omitempty"`
	Weight    float64 `json:"weight"`         // log-odds; negative speaks against
	Hint      bool    `json:"hint,omitempty"` // nobody checked the signature; hints alone make no more than a candidate
}
