package sim

import "github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"

// Guise is the face under which somebody tries.
type Guise int

// The zero Guise is invalid.
const (
	_            Guise = iota
	AsItself           // its own MAC and address
	AsPumpServer       // the pump server's address
	AsPrinter          // the printer's MAC
)

func (g Guise) String() string {
	switch g {
	case AsItself:
		return "itself"
	case AsPumpServer:
		return "pump-server's address"
	case AsPrinter:
		return "printer's mac"
	}
	return "invalid"
}

// Outcome is what the one who tried saw.
type Outcome int

// The zero Outcome is invalid.
const (
	_ Outcome = iota
	Silent
	Refused // a reset or an ICMP error: the packet arrived
	Answered
)

func (o Outcome) String() string {
	switch o {
	case Silent:
		return "silent"
	case Refused:
		return "refused"
	case Answered:
		return "answered"
	}
	return "invalid"
}

// Attempt is one thing tried that is no part of anybody's work.
type Attempt struct {
	From, To cast.Part
	As       Guise
	Service  string // "tcp/445", "icmp"
	Outcome  Outcome
}

// Allowed reports what the lab's policy says of the attempt: of all the
// mischief only printing is anybody's right.
func (a Attempt) Allowed() bool {
	return a.To == cast.Printer && a.As == AsItself && a.Service == "tcp/631"
}
