package rules

import "fmt"

// Basis is how well a signature is known: what its source rests on.
type Basis uint8

// The bases, the weakest first.
const (
	// Hint: from memory, or said by one third party that nobody checked.
	// Hints alone never lift a role above candidate.
	Hint Basis = iota + 1
	// Document: a standard, a vendor's document, an advisory, or a program
	// that reads it.
	Document
	// Wire: bytes that a device sent, in a capture or a sample.
	Wire
)

// MostHint is the most that hints weigh for a role, one or all together:
// less than a likely role needs.
const MostHint = 2

// String is the stable name.
func (b Basis) String() string {
	switch b {
	case Hint:
		return "hint"
	case Document:
		return "document"
	case Wire:
		return "wire"
	}
	return "invalid"
}

// MarshalText writes the name, never the number.
func (b Basis) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the name.
func (b *Basis) UnmarshalText(text []byte) error {
	for _, x := range []Basis{Hint, Document, Wire} {
		if x.String() == string(text) {
			*b = x
			return nil
		}
	}
	return fmt.Errorf("basis %q: want hint, document or wire", text)
}
