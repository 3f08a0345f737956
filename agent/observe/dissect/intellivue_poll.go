package dissect

import "encoding/binary"

// IntelliVueContent is what the result of a poll holds, by the class of objects
// that was asked for and whether the monitor has any. The zero value is neither.
type IntelliVueContent uint8

// Contents.
const (
	_                 IntelliVueContent = iota
	IntelliVueNothing                   // of values or waves that were asked for
	IntelliVueValues                    // numerics
	IntelliVueWaves                     // real-time sample arrays
)

// String names the content; "" for none.
func (c IntelliVueContent) String() string {
	return [...]string{"", "nothing", "values", "waves"}[min(c, IntelliVueWaves)]
}

// IntelliVuePatient is whether a patient is admitted at the monitor, whoever it
// is. The zero value is not known.
type IntelliVuePatient uint8

// Whether one is.
const (
	_ IntelliVuePatient = iota
	IntelliVueAdmitted
	IntelliVueEmpty
)

// String is "yes", "no" or, where it is not known, "".
func (p IntelliVuePatient) String() string {
	return [...]string{"", "yes", "no"}[min(p, IntelliVueEmpty)]
}

// Of the results of polls: the command, the actions, the classes of objects that
// are looked at, and an attribute.
const (
	ivAction       = 7
	ivPoll         = 0x0c16
	ivExtendedPoll = 0xf13b
	ivNumerics     = 0x0006
	ivWaves        = 0x0009
	ivMDS          = 0x0021
	ivPatient      = 0x002a
	ivPatientState = 0x0957
)

// result reads the result of a poll behind the remote operation: for linked
// results their state, then invoke id, command, length; object (6 bytes), action,
// length; number of the poll, for extended ones of the result, times (12), class
// of the objects (4), group of attributes (2), and the list. (Layout as in mdpnp and
// VSCaptureMP, which agree.) The values are skipped by their lengths.
func (m *IntelliVue) result(b []byte) {
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	if m.RemoteOp == 5 {
		b = b[2:]
	}
	if len(b) < 16 || u16(2) != ivAction || u16(4) != len(b)-6 || u16(14) != len(b)-16 {
		return
	}
	head := 20
	switch u16(12) {
	case ivPoll:
	case ivExtendedPoll:
		head = 22
	default:
		return
	}
	if b = b[16:]; len(b) < head+4 || u16(head+2) != len(b)-head-4 {
		return
	}
	class := u16(head - 4)
	some, ok := m.contexts(b[head:], class)
	switch {
	case !ok: // a length lies, so nothing is what it seems
		m.Mode, m.Patient = 0, 0
	case class != ivNumerics && class != ivWaves:
	case !some:
		m.Sends = IntelliVueNothing
	case class == ivNumerics:
		m.Sends = IntelliVueValues
	default:
		m.Sends = IntelliVueWaves
	}
}

// contexts reads the list of a poll's result: count, length, then of each context
// id, count, length, and objects of handle and attributes. It reports whether there
// is an object, and whether all lengths and counts agree.
func (m *IntelliVue) contexts(b []byte, class int) (some, ok bool) {
	contexts := binary.BigEndian.Uint16(b)
	for b = b[4:]; contexts > 0 && len(b) >= 6; contexts-- {
		count, n := binary.BigEndian.Uint16(b[2:]), 6+int(binary.BigEndian.Uint16(b[4:]))
		if len(b) < n {
			return some, false
		}
		objects := b[6:n]
		b = b[n:]
		for ; count > 0 && len(objects) >= 6; count-- {
			n := 6 + int(binary.BigEndian.Uint16(objects[4:]))
			if len(objects) < n || !eachAttribute(objects[2:n], func(id uint16, v []byte) bool { return m.polled(class, id, v) }) {
				return some, false
			}
			some = true
			objects = objects[n:]
		}
		if count > 0 || len(objects) > 0 {
			return some, false
		}
	}
	return some, contexts == 0 && len(b) == 0
}

// polled keeps of the monitor's own attributes the operating mode, and compares
// of the demographics the state: 0 empty, 2 admitted.
func (m *IntelliVue) polled(class int, id uint16, v []byte) bool {
	switch {
	case class == ivMDS && id == ivMode:
		return m.attribute(id, v)
	case class != ivPatient || id != ivPatientState || len(v) != 2:
	case binary.BigEndian.Uint16(v) == 0:
		m.Patient = IntelliVueEmpty
	case binary.BigEndian.Uint16(v) == 2:
		m.Patient = IntelliVueAdmitted
	}
	return true
}
