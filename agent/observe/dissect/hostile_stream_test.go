package dissect

import "testing"

// hostile tries what a hostile sender would send instead of b.
func hostile[T any](t *testing.T, name string, decode func(*T, []byte) Progress, b string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		var want T
		decode(&want, []byte(b))
		recognised(t, done(decode), []byte(b), want)
		lie, m := []byte(b), new(T)
		noAllocs(t, func() { // whatever a length says
			for i, c := range lie {
				for _, v := range []byte{0, '9', 0xff} {
					lie[i] = v
					decode(m, lie)
				}
				lie[i] = c
			}
		})
	})
}

func TestHostileStreams(t *testing.T) {
	hostile(t, "BCC", (*BCC).DecodeStream, bccAnswer())
	hostile(t, "BCC request", (*BCC).DecodeStream, "\x06"+bccFrame("1/1/1", "ADMIN:VERSION"))
	hostile(t, "MEDIBUS", (*Medibus).DecodeStream, string(unhex(t, medibusVector)))
	hostile(t, "MEDIBUS texts", (*Medibus).DecodeStream, medibus(1, MedibusTexts, "1E3xyz\x030A1\x03"))
	hostile(t, "ASTM", (*ASTM).DecodeStream, string(unhex(t, astmVector)))
	hostile(t, "POCT1-A", (*POCT1A).DecodeStream, poctHello)
	hostile(t, "Asena", (*SerialASCII).DecodeStream, asena("INST_SERIALNO^8002-1"))
	hostile(t, "PB840", (*SerialASCII).DecodeStream, pb840Line)
	hostile(t, "Masimo", (*SerialASCII).DecodeStream, masimoText)
	hostile(t, "FHIR", (*FHIR).DecodeStream, statementJSON)
	hostile(t, "FHIR in XML", (*FHIR).DecodeStream, statementXML)
	hostile(t, "DICOM", (*DICOM).DecodeStream, string(unhex(t, dicomVector)))
	hostile(t, "HL7", (*HL7).DecodeStream, pumpMessage())
}

// TestStreamVectors reads the synthetic messages of protocols.md.
func TestStreamVectors(t *testing.T) {
	var m Medibus
	for name, want := range map[string]Medibus{
		"medibus_nop": {Code: MedibusNOP, Next: 5}, "medibus_icc": {Code: MedibusInitialise, Next: 5}, "medibus_devid_req": {Code: MedibusIdentity, Next: 5},
		"medibus_devid_resp": {Code: MedibusIdentity, Answer: true, ID: TextOf("8020"), Model: TextOf("TestVent"), Version: TextOf("01.00"), Protocol: TextOf("04.00"), Next: 30},
	} {
		if p := m.DecodeStream(vector(t, name)); p != Done || m != want {
			t.Errorf("%s: %v %+v", name, p, m.Model)
		}
	}
	var a ASTM
	if p := a.DecodeStream(vector(t, "astm_header_frame")); p != Done || a.Sender.String() != "ACME" || a.Serial.String() != "SN1" {
		t.Errorf("astm_header_frame: %v, %q", p, a.Sender)
	}
	var d DICOM
	if p := d.DecodeStream(vector(t, "dicom_a_associate_rq")); p != Done || d.CallingAE.String() != "CT_TEST" || d.ContextsLen != 2 {
		t.Errorf("dicom_a_associate_rq: %v, %q", p, d.CallingAE)
	}
	var h HL7
	if p := h.DecodeStream(vector(t, "hl7_ack")); p != Done || h.Ack != HL7AckAA {
		t.Errorf("hl7_ack: %v, %d", p, h.Ack)
	}
}
