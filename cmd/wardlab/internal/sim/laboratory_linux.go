package sim

import (
	"bytes"
	"fmt"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// Ports of the laboratory's data manager, which no standard names.
const (
	poctPort  = 5001
	astmPort  = 5002
	batchPort = 5003
	fhirPort  = 8080
	er7Port   = 8081
	webPort   = 8042 // of the PACS
)

// laboratory are the scenes of point-of-care devices and analysers.
func (s *Stage) laboratory() []Scene {
	return []Scene{s.glucometer(), s.analyser(), s.automation(), s.batch(), s.er7(), s.fhir(), s.dicomWeb()}
}

// glucometer says hello by POCT1-A, tells that it is ready, and sends a result.
func (s *Stage) glucometer() Scene {
	patient := s.Ward.Cast.Patient
	header := func(n int) wire.POCTObject {
		return wire.POCTObject{Name: "HDR", Fields: []wire.POCTField{{Name: "control_id", Value: fmt.Sprint(n)}, {Name: "version_id", Value: "POCT1"}}}
	}
	object := func(name string, fields ...wire.POCTField) wire.POCTObject {
		return wire.POCTObject{Name: name, Fields: fields}
	}
	return scene(cast.Glucometer, cast.Hub, "tcp", poctPort, "POCT1-A messages", func(n int) [][]byte {
		m := s.member(cast.Glucometer)
		if n == 0 {
			return [][]byte{wire.POCT1A("HEL.R01", header(n), object("DEV", wire.POCTField{Name: "device_id", Value: m.Serial}, wire.POCTField{Name: "manufacturer_name", Value: "Roche"},
				wire.POCTField{Name: "serial_id", Value: m.Serial}, wire.POCTField{Name: "sw_version", Value: m.SW}, wire.POCTField{Name: "device_name", Value: "meter"}))}
		}
		return [][]byte{
			wire.POCT1A("DST.R01", header(n), object("DST", wire.POCTField{Name: "condition_cd", Value: "R"}, wire.POCTField{Name: "new_observations_qty", Value: "1"})),
			wire.POCT1A("OBS.R01", header(n), object("PT", wire.POCTField{Name: "patient_id", Value: patient.ID}, wire.POCTField{Name: "name", Value: s.person()}),
				object("OBS", wire.POCTField{Name: "value", Value: "5.4"}), object("OPR", wire.POCTField{Name: "operator_id", Value: patient.Given})),
		}
	}, func([]byte) []byte {
		return wire.POCT1A("ACK.R01", header(0), object("ACK", wire.POCTField{Name: "type_cd", Value: "AA"}))
	})
}

// analyser asks for the line by ASTM and sends header, patient, order, result
// and end.
func (s *Stage) analyser() Scene {
	patient := s.Ward.Cast.Patient
	return scene(cast.Analyser, cast.Hub, "tcp", astmPort, "ASTM results", func(int) [][]byte {
		m := s.member(cast.Analyser)
		messages := [][]byte{{wire.ASTMAsk}}
		for i, record := range []string{
			`H|\^&|||ANALYSER^` + m.SW + "^" + m.Serial + "|||||||P|LIS2-A2|" + hl7Time()[:14],
			"P|1||" + patient.ID + "||" + patient.Family + "^" + patient.Given,
			"R|1|^^^WBC|5.4|10*9/L||N||F||" + patient.Given,
			"C|1|I|" + patient.Family,
			"L|1|N",
		} {
			messages = append(messages, wire.ASTMFrame(i+1, record))
		}
		return append(messages, []byte{wire.ASTMFinish})
	}, func(heard []byte) []byte {
		if bytes.Equal(heard, []byte{wire.ASTMFinish}) {
			return nil
		}
		return []byte{wire.ASTMAgree}
	})
}

// automation tells the state of equipment by HL7 chapter 13.
func (s *Stage) automation() Scene {
	return s.hl7(cast.Automation, "HL7 equipment state", func(int) wire.Report {
		m := s.member(cast.Automation)
		return wire.Report{App: "AUTOMATION", Facility: "LAB", Type: "SSU^U03", Version: "2.6",
			Segments: []string{"EQU|" + m.Serial + "|" + hl7Time() + "|OP^operating", "SAC|" + s.Ward.Cast.Patient.ID + "||" + s.Ward.Cast.Patient.Family}}
	})
}

// results are messages of results as an analyser writes them down.
func (s *Stage) results(n int) []byte {
	return wire.Report{App: "AUTOMATION", Facility: "LAB", Time: hl7Time(), Type: "ORU^R01", Control: fmt.Sprint(n), Version: "2.6", Patient: s.patient(),
		Segments: []string{"OBR|1|||WBC", "OBX|1|NM|6690-2^WBC^LN||5.4|10*9/L|||||F"}}.Message()
}

// batch is a file of results, without a frame.
func (s *Stage) batch() Scene {
	return scene(cast.Automation, cast.Hub, "tcp", batchPort, "HL7 batch", func(n int) [][]byte {
		return [][]byte{wire.Batch("AUTOMATION", "LAB", hl7Time(), s.results(2*n), s.results(2*n+1))}
	}, func([]byte) []byte { return wire.Batch("HUB", "LAB", hl7Time()) })
}

// er7 are results sent by HTTP.
func (s *Stage) er7() Scene {
	return scene(cast.Automation, cast.Hub, "tcp", er7Port, "HL7 over HTTP", func(n int) [][]byte {
		return [][]byte{wire.ER7(s.member(cast.Hub).Addr.String(), s.results(n))}
	}, func(heard []byte) []byte {
		_, message, _ := bytes.Cut(heard, []byte("\r\n\r\n"))
		ack, err := wire.Ack(message, hl7Time())
		if err != nil {
			return nil
		}
		return wire.ER7Answer(ack)
	})
}

// dicomWeb is the PC that looks for studies in the PACS.
func (s *Stage) dicomWeb() Scene {
	patient := s.Ward.Cast.Patient
	return scene(cast.PC, cast.PACS, "tcp", webPort, "DICOMweb studies", func(int) [][]byte {
		return [][]byte{wire.DICOMWebGet(s.member(cast.PACS).Addr.String(), patient.ID)}
	}, func([]byte) []byte { return wire.DICOMWebStudies(patient.Family, patient.Given) })
}

// fhir is the glucometers' manager being asked what it is, and for a patient.
func (s *Stage) fhir() Scene {
	patient := s.Ward.Cast.Patient
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%s"
	return scene(cast.PC, cast.Hub, "tcp", fhirPort, "FHIR records", func(n int) [][]byte {
		path := "/metadata"
		if n%2 == 1 {
			path = "/Patient?identifier=" + patient.ID
		}
		return [][]byte{fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/fhir+json\r\nUser-Agent: %s\r\n\r\n", path, s.member(cast.Hub).Addr, browser)}
	}, func(heard []byte) []byte {
		body := `{"resourceType":"CapabilityStatement","status":"active","software":{"name":"Records","version":"7.2"},"fhirVersion":"4.0.1","publisher":"` + s.Ward.Cast.Site + `"}`
		if bytes.HasPrefix(heard, []byte("GET /Patient")) {
			body = `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","name":[{"family":"` + patient.Family + `","given":["` + patient.Given + `"]}]}}]}`
		}
		return fmt.Appendf(nil, head, len(body), body)
	})
}
