package dissect

// Lantronix is the answer of a Lantronix serial device server to the question
// who is there. Where its fields stand is not sure, so none is read.
//
// phi: never read: anything behind the first four bytes.
type Lantronix struct{ Response bool }

const (
	lantronixPort   = 30718
	lantronixLeast  = 4
	lantronixQuery  = 0xf6
	lantronixAnswer = 0xf7
)

// Decode reads a UDP payload.
func (m *Lantronix) Decode(b []byte) bool {
	*m = Lantronix{}
	if len(b) < lantronixLeast || b[0] != 0 || b[1] != 0 || b[2] != 0 {
		return false
	}
	m.Response = b[3] == lantronixAnswer
	return m.Response || b[3] == lantronixQuery
}
