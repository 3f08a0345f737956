package wire

import "fmt"

// DICOMWebGet asks a host for the studies of a patient (PS3.18 §10.6).
func DICOMWebGet(host, patient string) []byte {
	return fmt.Appendf(nil, "GET /dicom-web/studies?PatientID=%s HTTP/1.1\r\nHost: %s\r\nAccept: application/dicom+json\r\n\r\n", patient, host)
}

// DICOMWebStudies is the answer: one study, of a person.
func DICOMWebStudies(family, given string) []byte {
	body := fmt.Sprintf(`[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"%s^%s"}]}}]`, family, given)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}
