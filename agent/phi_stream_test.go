package agent

import (
	"fmt"
	"strings"
)

// records are medical records over the web: HL7, FHIR and DICOMweb.
func (k *traffic) records() {
	hidden := func() string {
		return "Authorization: Bearer " + k.next() + "\r\nReferer: http://x/?patient=" + k.next() + "\r\nIf-None-Exist: identifier=" + k.next() + "\r\nLocation: /Patient/" + k.next() + "\r\n"
	}
	statement := `{"resourceType":"CapabilityStatement","id":"` + k.next() + `","name":"` + k.next() + `","title":"` + k.next() + `","publisher":"` + k.next() + "@" + k.next() + `.example","contact":[{"name":"` + k.next() +
		`"}],"description":"` + k.next() + `","copyright":"` + k.next() + `","software":{"name":"` + k.word() + ` Server","version":"2","releaseDate":"` + k.next() + `"},"implementation":{"url":"http://` + k.next() + `"},"fhirVersion":"4.0.1"}`
	for _, media := range []string{"application/fhir+json", "application/fhir+xml", "application/dicom+json", `multipart/related; type="application/dicom"`} {
		for _, path := range []string{"/Patient/" + k.next(), "/studies/" + k.next() + "/series/" + k.next(), "/" + k.next() + "/metadata"} {
			body := statement
			if !strings.HasSuffix(path, "metadata") {
				body = `{"resourceType":"Patient","name":[{"family":"` + k.next() + `"}],"software":{"name":"` + k.next() + `"},"publisher":"` + k.next() + `"}`
			}
			k.streams(8080, "GET "+path+"?name="+k.next()+" HTTP/1.1\r\nAccept: "+media+"\r\nUser-Agent: "+k.word()+"/1\r\n"+hidden()+"\r\n",
				fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s; p=%s\r\nContent-Length: %d\r\n%s\r\n%s", media, k.next(), len(body), hidden(), body))
		}
	}
	message := "MSH|^~\\&|" + k.word() + "|Site|||" + k.next() + "|" + k.next() + "|ORU^R01|" + k.next() + "\rPID|1||" + k.next() + "||" + k.next() + "^" + k.next() +
		"\rSFT|" + k.word() + "|1|" + k.word() + "|1|" + k.next() + "\rEQU|" + k.word() + "|" + k.next() + "|OP^" + k.next() + "\rMSA|AE|" + k.next() + "|" + k.next() +
		"\rOBX|1|ST|184519^x^MDC||pump-status-" + k.next() + "|" + k.next() + "\rOBX|2|ST|68482^x^MDC||" + k.next() + "\r"
	k.streams(8080, fmt.Sprintf("POST /%s HTTP/1.1\r\nContent-Type: application/hl7-v2+er7\r\nContent-Length: %d\r\n\r\n%s", k.next(), len(message), message), k.next())
	k.streams(2575, "\x0bFHS|^~\\&|"+k.next()+"\rBHS|^~\\&|"+k.next()+"\r"+message+message+"BTS|"+k.next()+"\r\x1c\r", k.next()+"\x1c\r\x0b"+message+"\x1c\r")
}

// summed ends a frame with the sum of its bytes in hexadecimal; the STX of
// laboratory equipment does not count.
func summed(b, behind string) string {
	sum := byte(0)
	for _, c := range []byte(strings.TrimPrefix(b, "\x02")) {
		sum += c
	}
	return fmt.Sprintf("%s%02X\r%s", b, sum, behind)
}

// bedside are the devices whose own protocols run over TCP.
func (k *traffic) bedside() {
	bcc := func(info string) string {
		bed := k.next() + "/1/1"
		b := fmt.Sprintf("\x01%05d\x02%s>%s\x03", len(bed)+len(info)+15, bed, info)
		sum := 0
		for _, c := range []byte(b) {
			sum += int(c)
		}
		return strings.NewReplacer("D", "EX", "E", "EE", "d", "ex", "e", "ee").Replace(fmt.Sprintf("%s%05d\x04", b, sum%256))
	}
	values := []string{"1,50111,GNMODEL," + k.word()}
	for _, name := range strings.Fields("PATID PATW PATH PATAGE PATSEX PATIDBADGE PATIDDRUG INPATW NURSEID DRUGORDERNO INSOL INSOLSN INSOLID INRT INSRATE GNACK INM3") {
		values = append(values, k.next()+",50111,"+name+","+k.next())
	}
	k.streams(4001, bcc("MEM:GET"+k.next()), "\x06"+bcc(strings.Join(values, "\x1e"))+bcc(strings.Repeat(strings.Join(values, "\x1e")+"\x1e", 4)))

	medibus := summed("\x1bR", "") + summed("\x1bJ"+k.next(), "")
	answer := summed("\x01R8020'"+k.word()+"'01.00:04.00", "") + summed("\x01R"+k.next(), "")
	for _, code := range "$%&'()*+,-." {
		answer += summed("\x01"+string(code)+"1E1"+k.next()+"\x03"+k.next(), "")
	}
	k.streams(4002, medibus, answer)

	astm := "\x05" + summed("\x021H|\\^&|"+k.next()+"|"+k.next()+"|"+k.word()+"^1^2|"+k.next()+"|"+k.next()+"|"+k.next()+"|||"+k.next()+"|P|1|"+k.next()+"\r\x03", "\n")
	for i, letter := range "PORCQLMS" {
		astm += summed(fmt.Sprintf("\x02%d%c|1|%s|%s^%s\r\x03", (i+2)%8, letter, k.next(), k.next(), k.next()), "\n")
	}
	k.streams(4003, astm+"\x04", "\x06")
	k.streams(4003, "\x021H|\\^&|||"+k.word()+"\rP|1|"+strings.Repeat(k.next()+"^"+k.next()+"|", 60), "\x06")

	field := func(name string) string { return "<" + name + " V='" + k.next() + "'/>" }
	for _, name := range []string{"HEL.R01", "DST.R01", "OBS.R01", "OBS.R02", "OPL.R01", "REQ.R01", "ACK.R01", "EVS.R01"} {
		message := "<" + name + "><HDR>" + field("HDR.control_id") + field("HDR.creation_dttm") + "</HDR><DEV><DEV.vendor_id V='" + k.word() + "'/></DEV>"
		for _, object := range []string{"PT", "OPR", "ORD", "SPC", "OBS", "NTE", "DST"} {
			message += "<" + object + ">" + field(object+".name") + field(object+".value") + field("DST.condition_cd") + "<DEV>" + field("DEV.serial_id") + "</DEV>" + k.next() + "</" + object + ">"
		}
		k.streams(4004, message+"</"+name+">", "<ACK.R01>"+field("ACK.note_txt")+"</ACK.R01>")
	}

	k.streams(4005, "!INST_SERIALNO|457D\r!"+k.next()+"|457D\r", "!INF^"+k.next()+"|4961\r!INF|4961\r"+k.next()+"\r")
	k.streams(4006, "[DEV?]"+k.next(), "[ACK]"+k.next())
	k.streams(4007, "SNDA\r", "MISCA,706,97,\x02,"+k.next()+","+k.word()+","+k.next()+","+k.next()+",\x03\r")
	k.streams(4008, "01/02/26 03:04:05 SN=0000012345 SPO2="+k.next()+" BPM="+k.next()+"\r\n", "")
}
