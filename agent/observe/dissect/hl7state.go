package dissect

// HL7Software is one SFT segment (HL7 2.6 §2.14.12): the software that made
// the message.
type HL7Software struct {
	Vendor    Text // SFT-1, the organisation's name
	Version   Text // SFT-2
	Product   Text // SFT-3
	Binary    Text // SFT-4
	Installed Text // SFT-6, as far as it is digits
}

// HL7Ack is the code of an acknowledgement, MSA-1 (HL7 table 0008).
type HL7Ack uint8

// The codes; zero is none of them. A is of the original mode, C of the
// enhanced one.
const (
	_ HL7Ack = iota
	HL7AckAA
	HL7AckAE
	HL7AckAR
	HL7AckCA
	HL7AckCE
	HL7AckCR
)

// Refused reports an acknowledgement that says no.
func (a HL7Ack) Refused() bool {
	return a == HL7AckAE || a == HL7AckAR || a == HL7AckCE || a == HL7AckCR
}

// HL7PCD is a transaction of the IHE patient care device profiles, known by the
// root of its OID and its trigger: senders number the profiles as they like.
type HL7PCD uint8

// The transactions; zero is none of them.
const (
	_            HL7PCD = iota
	HL7PCDOther         // the root, with another trigger
	HL7PCDReport        // PCD-01, ORU^R01
	HL7PCDOrder         // PCD-03, RGV^O15
	HL7PCDAlert         // PCD-04, ORU^R40
	HL7PCDEvent         // PCD-10, ORU^R42
)

// String names the transaction.
func (p HL7PCD) String() string {
	return [...]string{"", "other", "pcd-01", "pcd-03", "pcd-04", "pcd-10"}[min(p, HL7PCDEvent)]
}

// HL7Pump is what a pump says of its delivery in a status with a closed
// vocabulary, OBX-5 of which is compared and never kept.
type HL7Pump uint8

// The states; zero is none of them.
const (
	_ HL7Pump = iota
	HL7PumpInfusing
	HL7PumpStopped
)

// String names the state.
func (p HL7Pump) String() string {
	return [...]string{"", "infusing", "not-infusing"}[min(p, HL7PumpStopped)]
}

// HL7Equipment is the state of a piece of laboratory equipment, EQU-3 (HL7
// table 0365).
type HL7Equipment uint8

// hl7Equipment are the codes of the table, by number. The first is none.
const hl7Equipment = "   PU IN ID CO OP CL PA PD ES TS SS SD DI MA FL RS LT UNK"

// String is the code.
func (e HL7Equipment) String() string {
	at := int(e) * 3
	switch {
	case e == 0 || at >= len(hl7Equipment):
		return ""
	case len(hl7Equipment)-at == 3:
		return hl7Equipment[at:]
	}
	return hl7Equipment[at : at+2]
}

// read sets the state by its code, or to none.
func (e *HL7Equipment) read(code []byte) {
	*e = 0
	for n := HL7Equipment(1); int(n)*3 < len(hl7Equipment); n++ {
		if string(code) == n.String() {
			*e = n
		}
	}
}

// sft reads who made the software of the sender.
func (m *HL7) sft(seg []byte, sep hl7Separators) {
	if int(m.SoftwareLen) == len(m.Software) {
		return
	}
	s := &m.Software[m.SoftwareLen]
	for n, more := 0, true; more && n <= 6; n++ {
		var v []byte
		v, seg, more = cutByte(seg, sep.field)
		switch n {
		case 1:
			s.Vendor.set(firstPart(v, sep.component))
		case 2:
			s.Version.set(v)
		case 3:
			s.Product.set(v)
		case 4:
			s.Binary.set(v)
		case 6:
			s.Installed.set(leadingDigits(v))
		}
	}
	if *s != (HL7Software{}) {
		m.SoftwareLen++
	}
}

// leadingDigits returns the digits that v begins with.
func leadingDigits(v []byte) []byte {
	n := 0
	for n < len(v) && '0' <= v[n] && v[n] <= '9' {
		n++
	}
	return v[:n]
}

// messageCode returns the first three characters of MSH-9, or less where it is
// shorter.
func messageCode(msh []byte, sep hl7Separators) []byte {
	const before = 8 // MSH, MSH-2 to MSH-8
	for range before {
		_, msh, _ = cutByte(msh, sep.field)
	}
	kind := trim(firstPart(msh, sep.field))
	return kind[:min(len(kind), 3)]
}

// isCommand reports a message about the equipment that it goes to: a command, or
// a request for its state, its inventory, its tests or its log (HL7 2.6 chapter 13),
// or an order to a pump (IHE PCD-03).
func isCommand(kind []byte) bool {
	switch string(kind) {
	case "EAC", "ESR", "SSR", "INR", "TCR", "LSR", "RGV":
		return true
	}
	return false
}

// isReport reports a message of observations, which a device sends.
func isReport(kind []byte) bool { return string(kind) == "ORU" }

// equ reads which equipment the message speaks of, and its state.
func (m *HL7) equ(seg []byte, sep hl7Separators) {
	for n, more := 0, true; more && n <= 3; n++ {
		var v []byte
		v, seg, more = cutByte(seg, sep.field)
		switch n {
		case 1:
			for again := true; again && len(v) > 0; {
				var one []byte
				one, v, again = cutByte(v, sep.repetition)
				m.addDevice(one)
			}
		case 3:
			m.Equipment.read(firstPart(v, sep.component))
		}
	}
}

// msa reads the code of an acknowledgement and nothing else.
func (m *HL7) msa(seg []byte, sep hl7Separators) {
	_, seg, _ = cutByte(seg, sep.field)
	switch string(firstPart(seg, sep.field)) {
	case "AA":
		m.Ack = HL7AckAA
	case "AE":
		m.Ack = HL7AckAE
	case "AR":
		m.Ack = HL7AckAR
	case "CA":
		m.Ack = HL7AckCA
	case "CE":
		m.Ack = HL7AckCE
	case "CR":
		m.Ack = HL7AckCR
	}
}

// isPCD reports whether a profile of MSH-21 lies below the root of IHE PCD.
func isPCD(v []byte, sep hl7Separators) bool {
	const root = "1.3.6.1.4.1.19376.1.6."
	for more := true; more; {
		var c []byte
		c, v, more = cutByte(v, sep.component)
		if len(c) > len(root) && string(c[:len(root)]) == root {
			return true
		}
	}
	return false
}

// pcdTransaction tells the transaction by MSH-9, code^trigger^structure.
func pcdTransaction(v []byte, sep hl7Separators) HL7PCD {
	code, rest, _ := cutByte(v, sep.component)
	trigger := firstPart(rest, sep.component)
	switch {
	case string(code) == "ORU" && string(trigger) == "R01":
		return HL7PCDReport
	case string(code) == "RGV" && string(trigger) == "O15":
		return HL7PCDOrder
	case string(code) == "ORU" && string(trigger) == "R40":
		return HL7PCDAlert
	case string(code) == "ORU" && string(trigger) == "R42":
		return HL7PCDEvent
	}
	return HL7PCDOther
}

// status compares OBX-5 with the closed vocabulary of OBX-3, where that names
// one (ISO/IEEE 11073-10101): a pump's delivery, and whether there is an alarm.
func (m *HL7) status(code, value []byte, sep hl7Separators) {
	number, rest, _ := cutByte(code, sep.component)
	name := firstPart(rest, sep.component)
	value = firstPart(value, sep.repetition)
	switch string(number) {
	case "184519": // MDC_PUMP_INFUSING_STATUS; words of others, such as alarm, say neither
		for _, word := range [...]string{"pump-status-infusing", "pump-status-kvo", "pump-status-bolus", "pump-status-antibolus"} {
			if hasComponent(value, word, sep) {
				m.Pump = HL7PumpInfusing
			}
		}
		for _, word := range [...]string{"pump-status-ready", "pump-status-standby", "pump-status-paused"} {
			if m.Pump == 0 && hasComponent(value, word, sep) {
				m.Pump = HL7PumpStopped
			}
		}
	case "184504": // MDC_PUMP_MODE
		if hasComponent(value, "pump-mode-*", sep) && m.Pump == 0 {
			m.Pump = HL7PumpInfusing
		}
	case "68482": // MDC_ATTR_ALARM_STATE
		m.Alarm = m.Alarm || hasComponent(value, "active", sep) || hasComponent(value, "latched", sep)
	case "0":
		if string(name) != "MDC_ATTR_EVT_COND" {
			return
		}
		switch {
		case hasComponent(value, "197288", sep), hasComponent(value, "MDC_EVT_PUMP_DELIV_START", sep):
			m.Pump = HL7PumpInfusing
		case m.Pump == 0 && hasComponent(value, "MDC_EVT_PUMP_DELIV_STOP", sep): // what is complete may keep the vein open
			m.Pump = HL7PumpStopped
		}
	}
}

// cut forgets what a message that was not read to its end cannot say: that no pump
// infuses. The next one may.
func (m *HL7) cut() {
	if m.Pump == HL7PumpStopped {
		m.Pump = 0
	}
}

// hasComponent reports whether a component of v is want, or begins with it
// where want ends in '*'.
func hasComponent(v []byte, want string, sep hl7Separators) bool {
	n := len(want) - 1
	for more := true; more; {
		var c []byte
		c, v, more = cutByte(v, sep.component)
		if want[n] == '*' && len(c) > n {
			c = c[:n+1]
			if string(c[:n]) == want[:n] {
				return true
			}
		}
		if string(c) == want {
			return true
		}
	}
	return false
}
