package dissect

// Progress is what a stream dissector says of the bytes it was shown.
type Progress uint8

// The answers of a stream dissector. The zero value is none of them.
const (
	_ Progress = iota
	// No: the bytes are not of this protocol. What the message then holds is
	// not defined: most dissectors refuse before they touch it.
	No
	// NeedMore: so far they fit, more bytes are needed. HTTP, HL7 and DICOM
	// hold what could already be read in full, for streams that end early.
	NeedMore
	// Done: the message is complete.
	Done
)

// String names the answer.
func (p Progress) String() string {
	switch p {
	case No:
		return "no"
	case NeedMore:
		return "need-more"
	case Done:
		return "done"
	}
	return "invalid"
}
