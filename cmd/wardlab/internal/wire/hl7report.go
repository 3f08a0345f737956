package wire

import (
	"fmt"
	"strings"
)

// Report is what a bedside device or an analyser sends by HL7 v2, beyond the
// PumpReport.
type Report struct {
	App, Facility string // MSH-3, MSH-4
	Receiver      string // MSH-5
	Time          string // HL7 DTM
	Type          string // MSH-9
	Control       string // MSH-10
	Version       string // MSH-12
	Profile       string // MSH-21, "" for none
	Patient       string // PID and PV1, as PatientSegments makes them; "" for none
	Segments      []string
}

// PCD01 is the profile of IHE for what devices observe (protocols.md 2.1).
const PCD01 = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"

// Message is the report without a frame.
func (r Report) Message() []byte {
	head := fmt.Sprintf(`MSH|^~\&|%s|%s|%s||%s||%s|%s|P|%s|||AL|NE`, r.App, r.Facility, r.Receiver, r.Time, r.Type, r.Control, r.Version)
	if r.Profile != "" {
		head += "||UNICODE UTF-8|||" + r.Profile
	}
	lines := append([]string{head}, r.Segments...)
	if r.Patient != "" {
		lines = append([]string{head, r.Patient}, r.Segments...)
	}
	return []byte(strings.Join(lines, "\r") + "\r")
}

// PatientSegments are PID and PV1 of a person: synthetic, and must never be
// seen again.
func PatientSegments(family, given, id, bed string) string {
	return fmt.Sprintf("PID|||%s^^^HOSP^PI||%s^%s^^^^^L||19600101|M\rPV1||I|ICU^%s", id, family, given, bed)
}
