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

// Batch is a file of one batch of messages, as it is written: with headers and
// trailers around them, and no frame (HL7 v2 chapter 2.10.3).
func Batch(app, facility, time string, messages ...[]byte) []byte {
	b := fmt.Appendf(nil, "FHS|^~\\&|%s|%s|||%s\rBHS|^~\\&|%s|%s|||%s\r", app, facility, time, app, facility, time)
	for _, m := range messages {
		b = append(b, m...)
	}
	return fmt.Appendf(b, "BTS|%d\rFTS|1\r", len(messages))
}

// ER7 is a message sent by HTTP to a host (HL7 over HTTP).
func ER7(host string, message []byte) []byte {
	return fmt.Appendf(nil, "POST /hl7 HTTP/1.1\r\nHost: %s\r\nContent-Type: x-application/hl7-v2+er7; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", host, len(message), message)
}

// ER7Answer is the answer with an acknowledgement.
func ER7Answer(message []byte) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: x-application/hl7-v2+er7; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(message), message)
}

// Control ids by which Mindray tells its messages apart (protocols.md 2.10).
const (
	MindrayHeartbeat = 106
	MindrayValues    = 204
)

// Mindray is a message between a Mindray monitor and its collector, whose header
// names nobody.
func Mindray(control int, segments ...string) []byte {
	head := fmt.Sprintf(`MSH|^~\&|||||||ORU^R01|%d|P|2.3.1|`, control)
	return MLLP([]byte(strings.Join(append([]string{head}, segments...), "\r") + "\r"))
}

// PatientSegments are PID and PV1 of a person: synthetic, and must never be
// seen again.
func PatientSegments(family, given, id, bed string) string {
	return fmt.Sprintf("PID|||%s^^^HOSP^PI||%s^%s^^^^^L||19600101|M\rPV1||I|ICU^%s", id, family, given, bed)
}
