package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// MLLP framing octets (HL7 Transport Specification MLLP release 1).
const (
	mllpStart = 0x0B
	mllpEnd   = 0x1C
	hl7CR     = 0x0D
)

// MLLP frames one message.
func MLLP(msg []byte) []byte {
	f := append([]byte{mllpStart}, msg...)
	return append(f, mllpEnd, hl7CR)
}

// errMLLP says that a stream holds no MLLP block where one must begin.
var errMLLP = errors.New("stream does not begin with an mllp block")

// CutMLLP takes the first whole block off a stream; ok is false while more
// bytes are needed.
func CutMLLP(stream []byte) (msg, rest []byte, ok bool, err error) {
	if len(stream) == 0 {
		return nil, nil, false, nil
	}
	if stream[0] != mllpStart {
		return nil, nil, false, errMLLP
	}
	i := bytes.Index(stream, []byte{mllpEnd, hl7CR})
	if i < 0 {
		return nil, stream, false, nil
	}
	return stream[1:i], stream[i+2:], true, nil
}

// PumpReport is what an infusion pump's IHE PCD-01 message says.
type PumpReport struct {
	App, Facility   string  // MSH-3 and MSH-4 name spaces
	EUI             [8]byte // of the pump's communicator: MSH-3, OBX-18
	Receiver        string  // MSH-5
	Control         string  // MSH-10
	Time            string  // HL7 DTM
	Model           string  // OBX-18 name space, PRT-10
	Serial          string  // PRT-20
	UDI             string  // PRT-16 device identifier (GTIN)
	Lot             string  // PRT-19
	Made, Expires   string  // PRT-17, PRT-18
	Family, Given   string  // PID-5: synthetic, and must never be seen again
	PatientID, Drug string  // PID-3, OBX-5
	Rate            float64 // mL/h
	Padding         int     // NTE octets, to make a message longer than a segment
}

// ORU is the message: ORU^R01 of HL7 2.6 in the IHE PCD-01 profile, MDC codes
// of IEEE 11073-10101, containment MDS (1.0.0.0) > VMD > channel, and the
// device again in a PRT segment (the version 2.8.2 layout which IHE allows to be
// used early): PRT-10 device, 16 UDI, 17 made, 18 expires, 19 lot, 20 serial,
// 22 type.
func (p PumpReport) ORU() []byte {
	eui := fmt.Sprintf("%X", p.EUI[:])
	device := p.Model + "^^" + eui + "^EUI-64"
	var s []string
	add := func(format string, args ...any) { s = append(s, fmt.Sprintf(format, args...)) }
	obx := func(typ, code, containment, value, unit string) {
		// OBX-11 result status: X for containment objects, R for values.
		status := "R"
		if value == "" {
			status = "X"
		}
		add("OBX|%d|%s|%s|%s|%s|%s|||||%s|||%s||||%s", len(s), typ, code, containment, value, unit, status, p.Time, device)
	}
	add(`MSH|^~\&|%s^%s^EUI-64|%s|%s||%s||ORU^R01^ORU_R01|%s|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO`,
		p.App, eui, p.Facility, p.Receiver, p.Time, p.Control)
	add("PID|||%s^^^HOSP^PI||%s^%s^^^^^L||19600101|M", p.PatientID, p.Family, p.Given)
	add("PV1||I|ICU^12^3")
	add("OBR|1|%s^%s^%s^EUI-64|%s^%s^%s^EUI-64|69985^MDC_DEV_PUMP_INFUS_MDS^MDC|||%s", p.Control, p.App, eui, p.Control, p.App, eui, p.Time)
	add("PRT|1|UC||EQUIP^Equipment^HL70912||||||%s||||||%s^^2.51.1.1^ISO|%s|%s|%s|%s||%s",
		device, p.UDI, p.Made, p.Expires, p.Lot, p.Serial, "69985^MDC_DEV_PUMP_INFUS_MDS^MDC")
	obx("", "69985^MDC_DEV_PUMP_INFUS_MDS^MDC", "1.0.0.0", "", "")
	obx("", "69986^MDC_DEV_PUMP_INFUS_VMD^MDC", "1.1.0.0", "", "")
	obx("", "70067^MDC_DEV_PUMP_DELIVERY_INFO^MDC", "1.1.1.0", "", "")
	obx("ST", "184504^MDC_PUMP_MODE^MDC", "1.1.1.1", "pump-mode-continuous", "")
	obx("ST", "184519^MDC_PUMP_INFUSING_STATUS^MDC", "1.1.1.2", "pump-status-infusing", "")
	obx("NM", "157784^MDC_FLOW_FLUID_PUMP^MDC", "1.1.1.3", fmt.Sprintf("%.1f", p.Rate), "265266^MDC_DIM_MILLI_L_PER_HR^MDC")
	obx("", "126977^MDC_DEV_PUMP_SOURCE_INFO^MDC", "1.1.2.0", "", "")
	obx("ST", "184514^MDC_DRUG_NAME_TYPE^MDC", "1.1.2.1", p.Drug, "")
	if p.Padding > 0 {
		add("NTE|1|L|%s", strings.Repeat("infusion journal ", p.Padding/17+1)[:p.Padding])
	}
	return []byte(strings.Join(s, "\r") + "\r")
}

// errHL7 says that a message does not begin with a usable MSH segment.
var errHL7 = errors.New("message without msh segment")

// Ack answers a message with AA (original mode, HL7 2.6 chapter 2.9): sender and
// receiver change places and MSA-2 returns the control id.
func Ack(msg []byte, time string) ([]byte, error) {
	line, _, _ := bytes.Cut(msg, []byte{hl7CR})
	f := strings.Split(string(line), "|")
	if len(f) < 12 || f[0] != "MSH" {
		return nil, errHL7
	}
	// f[n] is MSH-(n+1): MSH-1 is the separator itself.
	ack := fmt.Sprintf("MSH|^~\\&|%s|%s|%s|%s|%s||ACK^R01^ACK|%s|P|%s\rMSA|AA|%s\r", f[4], f[5], f[2], f[3], time, f[9], f[11], f[9])
	return []byte(ack), nil
}

// AckedControl is the control id which an acknowledgement names in MSA-2, and
// whether it accepts (AA).
func AckedControl(msg []byte) (control string, accepted bool) {
	for line := range bytes.SplitSeq(msg, []byte{hl7CR}) {
		if f := strings.Split(string(line), "|"); len(f) >= 3 && f[0] == "MSA" {
			return f[2], f[1] == "AA"
		}
	}
	return "", false
}
