package policy

import "fmt"

// Mode is what becomes of a device's packets that its segment does not allow.
type Mode uint8

// Modes, the gentlest first.
const (
	Observe Mode = iota + 1 // nothing is filtered or counted
	Stage                   // counted and logged as would-be denies, and passed
	Enforce                 // counted, logged and dropped
)

// String is the name in policy files.
func (m Mode) String() string {
	switch m {
	case Observe:
		return "observe"
	case Stage:
		return "stage"
	case Enforce:
		return "enforce"
	}
	return "invalid"
}

// ParseMode reads the name.
func ParseMode(s string) (Mode, error) {
	for m := Observe; m <= Enforce; m++ {
		if m.String() == s {
			return m, nil
		}
	}
	return 0, fmt.Errorf(`mode %q: want "observe", "stage" or "enforce"`, s)
}

// MarshalText writes the name, never the number.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the name.
func (m *Mode) UnmarshalText(b []byte) error {
	p, err := ParseMode(string(b))
	*m = p
	return err
}

// Direction is the way of an allow entry or of a packet, seen from the device.
type Direction uint8

// Directions.
const (
	To   Direction = iota + 1 // the device asks, the other side serves
	From                      // the other side asks, the device serves
)

// String is the key of an allow entry.
func (d Direction) String() string {
	switch d {
	case To:
		return "to"
	case From:
		return "from"
	}
	return "invalid"
}

// Reverse is the other way.
func (d Direction) Reverse() Direction {
	if d == To {
		return From
	}
	return To
}

// MarshalText writes the key.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
