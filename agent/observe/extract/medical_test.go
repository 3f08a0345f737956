package extract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// talk is what two ends say over one connection, and the facts of it: 1 is
// the client, 9 the server. CANARY stands where nothing may come from.
type talk struct {
	name           string
	client, server string
	want           []string
}

func medicalTalks() []talk {
	rq := "\x00\x01\x00\x00" + aeTitle("PACS") + aeTitle("US7") + strings.Repeat("\x00", 32) + dicomItem(0x10, "1.2.840.10008.3.1.1.1")
	user := dicomItem(0x50, dicomItem(0x51, "\x00\x00\x40\x00"))
	return []talk{
		{"HL7 with software, equipment and states", "\x0bMSH|^~\\&|A||||CANARY|CANARY|ORU^R01|CANARY|P||||||||||1.3.6.1.4.1.19376.1.6.1.1.1\r" +
			"SFT|Maker|2.0|Product|B1|CANARY|20260101\rEQU|E-1|CANARY|OP\r" +
			"OBX|1|ST|184519^x^MDC||pump-status-infusing|CANARY\rOBX|2|ST|68482^x^MDC||active\r\x1c\r", "\x0bMSH|^~\\&|B|||||CANARY|ACK^R01\rMSA|AA|CANARY\r\x1c\r", []string{
			"1 hl7.alarm yes", "1 hl7.equ3_state OP", "1 hl7.msh21_profile 1.3.6.1.4.1.19376.1.6.1.1.1", "1 hl7.msh3_sending_app A", "1 hl7.msh9_type ORU_R01",
			"1 hl7.obx18_equipment E-1", "1 hl7.pcd pcd-01", "1 hl7.pump_state infusing", "1 hl7.sft1_vendor Maker", "1 hl7.sft2_version 2.0", "1 hl7.sft3_product Product",
			"1 hl7.sft4_binary B1", "1 hl7.sft6_installed 20260101", "9 hl7.msh3_sending_app B", "9 hl7.msh9_type ACK_R01", "9 hl7.receives ORU_R01"}},
		{"HL7 file of batches without a frame", "FHS|^~\\&|CANARY\rBHS|^~\\&|CANARY\rMSH|^~\\&|A|B|||||ORU^R01\r", "",
			[]string{"1 hl7.msh3_sending_app A", "1 hl7.msh4_sending_facility B", "1 hl7.msh9_type ORU_R01", "9 hl7.receives ORU_R01"}},
		{"HL7 over HTTP", "POST /CANARY HTTP/1.1\r\nUser-Agent: sender/1\r\nContent-Type: x-application/hl7-v2+er7; charset=utf-8\r\nContent-Length: 72\r\n\r\n" +
			"MSH|^~\\&|A|B|||CANARY||ORU^R01\rPID|CANARY\rSFT|Maker\rNTE|CANARY CANARY|\r", "HTTP/1.1 200 OK\r\nServer: engine/3\r\nContent-Type: application/hl7-v2+xml\r\n\r\n<CANARY/>", []string{
			"1 hl7.http er7", "1 hl7.msh3_sending_app A", "1 hl7.msh4_sending_facility B", "1 hl7.msh9_type ORU_R01", "1 hl7.sft1_vendor Maker", "1 http.user_agent sender/1",
			"9 hl7.http xml", "9 hl7.receives ORU_R01", "9 http.server engine/3"}},
		{"FHIR", "GET /fhir/Patient/CANARY?name=CANARY HTTP/1.1\r\nAccept: application/fhir+json\r\nAuthorization: CANARY\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\r\n{\"resourceType\":\"Patient\",\"software\":{\"name\":\"CANARY\"}}", []string{"1 fhir.client GET Patient", "9 fhir.server yes"}},
		{"FHIR metadata", "GET /fhir/metadata HTTP/1.1\r\nAccept: application/json\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nb4\r\n" +
				`{"resourceType":"CapabilityStatement","id":"CANARY","publisher":"CANARY","software":{"name":"Engine","version":"7.2"},"fhirVersion":"4.0.1","contact":[{"name":"CANARY"}],"rest":[]}`, []string{
				"9 fhir.server yes", "9 fhir.software Engine", "9 fhir.software_version 7.2", "9 fhir.version 4.0.1"}},
		{"metadata of something else", "GET /latest/metadata HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{\"publisher\":\"CANARY\",\"software\":{\"name\":\"CANARY\"}}", nil},
		{"a statement that was not asked for", "GET /x HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{\"resourceType\":\"CapabilityStatement\",\"software\":{\"name\":\"CANARY\"}}", nil},
		{"DICOMweb", "GET /dicom-web/studies/1.2.3/series/4.5.6 HTTP/1.1\r\nAccept: multipart/related; type=\"application/dicom\"\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary=CANARY\r\n\r\nCANARY", []string{"1 dicomweb.client GET studies", "9 dicomweb.server yes"}},
		{"B. Braun pumps", bcc("CANARY/1/1", "ADMIN:ALIVE") + bcc("1/1/1", "MEM:GET"), "\x06" + bcc("CANARY/1/1", "1,50111,GNMODEL,688F030006\x1e1,50111,INSERNUM,12345\x1e1,50111,INNR,7\x1e"+
			"1,50111,INDTNR,8713\x1e1,50111,PATID,CANARY\x1e1,50111,INRT,CANARY\x1e1,50111,INM6,1\x1e1,50112,INM3,1") + bcc("1/1/1", "1,50000,VERSION,V3.30"), []string{
			"1 bcc.client yes", "9 bcc.model 688F030006", "9 bcc.number 7", "9 bcc.serial 12345", "9 bcc.state active", "9 bcc.type_number 8713", "9 bcc.version V3.30"}},
		{"Dräger MEDIBUS", "\x1bQ6C\r\x1bR6D\r" + sum8("\x01R", "") + "\x1b\x243F\r", sum8("\x01Q", "") + sum8("\x01R8020'TestVent'01.00:04.00", "") + sum8("\x01$05 1 CANARY", "") + sum8("\x01*1E3CANARY\x03", ""), []string{
			"1 medibus.client yes", "9 medibus.device yes", "9 medibus.id 8020", "9 medibus.model TestVent", "9 medibus.state standby", "9 medibus.version 01.00"}},
		{"ASTM", sum8("\x021H|\\^&||CANARY|ACME^1.0^SN1|||||||P|LIS2-A2|CANARY\r\x03", "\n") + sum8("\x022P|1|CANARY\r\x03", "\n") + sum8("\x023R|1|^^^CANARY|CANARY\r\x03", "\n") + "\x04", "\x06", []string{
			"1 astm.sender ACME", "1 astm.sends results", "1 astm.serial SN1", "1 astm.standard LIS2-A2", "1 astm.version 1.0"}},
		{"POCT1-A", `<HEL.R01><HDR><HDR.version_id V="POCT1"/></HDR><DEV><DEV.device_id V="0012-AB bed-7"/><DEV.vendor_id V="MKR"/><DEV.model_id V="M1"/><DEV.serial_id V="S-77"/>` +
			`<DEV.manufacturer_name V="Maker"/><DEV.hw_version V="2"/><DEV.sw_version V="3.1"/><DEV.device_name V="meter-bed12"/></DEV><PT><PT.name V="CANARY"/></PT></HEL.R01>`,
			`<ACK.R01><ACK.note V="CANARY"/></ACK.R01>`, []string{"1 poct1a.device_id 0012-AB", "1 poct1a.hardware 2", "1 poct1a.maker Maker", "1 poct1a.model M1", "1 poct1a.name meter",
				"1 poct1a.sends HEL.R01", "1 poct1a.serial S-77", "1 poct1a.software 3.1", "1 poct1a.vendor MKR", "9 poct1a.sends ACK.R01"}},
		{"POCT1-A status", `<DST.R01><HDR/><DST><DST.status_dttm V="CANARY"/><DST.condition_cd V="R"/></DST></DST.R01>`, "", []string{"1 poct1a.sends DST.R01", "1 poct1a.state ready"}},
		{"Alaris Asena", "!INST_SERIALNO|457D\r!INF|4961\r", "!INST_SERIALNO^8002-51733|ACFF\r!COMMS_PROTOCOL^Asena Rev 2.1.5|661A\r", []string{"9 asena.protocol Asena Rev 2.1.5", "9 asena.serial 8002-51733"}},
		{"Baxter AS50", "[DEV?]1234", "[ACK]CANARY", []string{"9 as50.device yes"}},
		{"an answer to nobody", "", "[ACK]CANARY", nil},
		{"Puritan Bennett 840", "SNDA\r", "MISCA,706,97,\x02,09:45 ,840 3510012345    ,CANARY,CANARY,\x03\r", []string{"9 pb840.id 840 3510012345"}},
		{"Masimo Radical", "01/02/26 03:04:05 SN=0000012345 SPO2=CANARY BPM=CANARY\r\n", "", []string{"1 masimo.serial 0000012345"}},
		{"DICOM store", dicomPDU(1, rq+dicomContext(1, "1.2.840.10008.5.1.4.1.1.6.1")+user) + dicomPDU(4, "\x00\x00\x00\x08\x01\x03CANARY") + dicomPDU(4, "\x00\x00\x00\x08\x01\x02CANARY"),
			dicomPDU(2, rq+dicomItem(0x21, "\x01\x00\x00\x00"+dicomItem(0x40, "1.2.840.10008.1.2"))) + dicomPDU(4, "\x00\x00\x00\x08\x01\x03CANARY"), []string{
				"1 dicom.ae_title US7", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.1.6.1", "1 dicom.stores 1.2.840.10008.5.1.4.1.1.6.1", "9 dicom.ae_title_called_as PACS", "9 dicom.scp_accepts 1.2.840.10008.5.1.4.1.1.6.1"}},
		{"DICOM get", dicomPDU(1, rq+dicomContext(1, "1.2.840.10008.5.1.4.1.2.2.3")+dicomContext(3, "1.2.840.10008.5.1.4.1.1.2")+dicomItem(0x50, dicomItem(0x54, "\x00\x191.2.840.10008.5.1.4.1.1.2\x00\x01"))),
			dicomPDU(2, rq+dicomItem(0x21, "\x01\x00\x00\x00")+dicomItem(0x21, "\x03\x00\x00\x00")) + dicomPDU(4, "\x00\x00\x00\x08\x03\x02CANARY"), []string{
				"1 dicom.ae_title US7", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.2.2.3", "1 dicom.scu_receives 1.2.840.10008.5.1.4.1.1.2",
				"9 dicom.ae_title_called_as PACS", "9 dicom.scp_accepts 1.2.840.10008.5.1.4.1.2.2.3", "9 dicom.stores 1.2.840.10008.5.1.4.1.1.2"}},
		{"DICOM procedure step", dicomPDU(1, rq+dicomContext(1, "1.2.840.10008.3.1.2.3.3")+user) + dicomPDU(4, "\x00\x00\x00\x08\x01\x03CANARY") + dicomPDU(4, "\x00\x00\x00\x08\x01\x02CANARY"),
			dicomPDU(2, rq+dicomItem(0x21, "\x01\x00\x00\x00"+dicomItem(0x40, "1.2.840.10008.1.2"))) + dicomPDU(4, "\x00\x00\x00\x08\x01\x03CANARY"), []string{
				"1 dicom.ae_title US7", "1 dicom.performs yes", "1 dicom.scu_proposes 1.2.840.10008.3.1.2.3.3", "9 dicom.ae_title_called_as PACS", "9 dicom.scp_accepts 1.2.840.10008.3.1.2.3.3"}},
		{"Mindray monitor", "\x0bMSH|^~\\&|||||||ORU^R01|106|P|2.3.1|\r\x1c\r",
			"\x0bMSH|^~\\&|||||||ORU^R01|106|P|2.3.1|\r\x1c\r\x0bMSH|^~\\&|||||||ORU^R01|204|P|2.3.1|\rOBX||NM|101^HR|2101|CANARY||||||F\r\x1c\r", []string{
				"1 hl7.msh12_version 2.3.1", "1 hl7.msh9_type ORU_R01", "1 mindray.sends heartbeat", "9 hl7.msh12_version 2.3.1", "9 hl7.msh9_type ORU_R01", "9 hl7.receives ORU_R01",
				"9 mindray.sends heartbeat", "9 mindray.sends values"}},
		{"DICOM association that is refused", dicomPDU(1, rq), "\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07", []string{"1 dicom.ae_title US7", "9 dicom.ae_title_called_as PACS", "9 dicom.rejects 1/1/7"}},
		{"a refusal of nothing", "", "\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07", nil},
		{"series of something else", "GET /series/4/instances/5 HTTP/1.1\r\nAccept: application/json\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}", nil},
	}
}

func dicomPDU(kind uint8, v string) string  { return string(pdu(kind, v)) }
func dicomItem(kind uint8, v string) string { return string(item(kind, v)) }
func dicomContext(id uint8, uid string) string {
	return dicomItem(0x20, string([]byte{id, 0, 0, 0})+dicomItem(0x30, uid)+dicomItem(0x40, "1.2.840.10008.1.2"))
}

// bcc writes a frame of B. Braun's protocol.
func bcc(bed, info string) string {
	b := fmt.Sprintf("\x01%05d\x02%s>%s\x03", len(bed)+len(info)+15, bed, info)
	sum := 0
	for _, c := range []byte(b) {
		sum += int(c)
	}
	return strings.NewReplacer("D", "EX", "E", "EE", "d", "ex", "e", "ee").Replace(fmt.Sprintf("%s%05d\x04", b, sum%256))
}

// sum8 writes a frame with the sum of its bytes, but for a leading STX, in two
// hexadecimal digits, CR and what comes behind it.
func sum8(b, behind string) string {
	sum := byte(0)
	for _, c := range []byte(strings.TrimPrefix(b, "\x02")) {
		sum += c
	}
	return fmt.Sprintf("%s%02X\r%s", b, sum, behind)
}

// converse is the talk in segments that end at the given offsets of the
// client's and the server's bytes. Without a handshake the observer comes in
// the middle.
func converse(c talk, port uint16, handshake bool, cut int) (frames [][]byte) {
	server := end{server.mac, server.ip, port}
	if handshake {
		frames = append(frames, tcp(pump, server, syn, 999, nil), tcp(server, pump, syn|ack, 4999, nil))
	}
	say := func(from, to end, seq uint32, data string) {
		for at := 0; at < len(data); {
			next := len(data)
			if at < cut && cut < next {
				next = cut
			}
			frames = append(frames, tcp(from, to, ack, seq+uint32(at), []byte(data[at:next])))
			at = next
		}
	}
	say(pump, server, 1000, c.client)
	say(server, pump, 5000, c.server)
	return frames
}

// said are the facts of frames that are not about TLS and flows.
func said(frames ...[]byte) []string { return lines(run(platform.DirUnknown, frames...).Facts) }

func TestMedicalTalks(t *testing.T) {
	for _, c := range slices.Concat(medicalTalks(), deviceTalks()) {
		t.Run(c.name, func(t *testing.T) {
			want := slices.Sorted(slices.Values(c.want))
			if d := cmp.Diff(want, said(converse(c, 2575, true, 0)...)); d != "" {
				t.Fatalf("(-want +got)\n%s", d)
			}
			for cut := range max(len(c.client), len(c.server)) {
				if d := cmp.Diff(want, said(converse(c, 7777, true, cut)...)); d != "" {
					t.Fatalf("on another port, split at byte %d (-want +got)\n%s", cut, d)
				}
				short := talk{client: c.client[:min(cut, len(c.client))], server: c.server[:min(cut, len(c.server))]}
				for _, line := range said(append(converse(short, 2575, true, 0), tcp(pump, server, rst, 0, nil))...) {
					if !begins(want, line) {
						t.Fatalf("cut at byte %d: %q", cut, line)
					}
				}
			}
		})
	}
}

// begins reports whether line is one of want, or, of a value that ends with
// the message, the beginning of one.
func begins(want []string, line string) bool {
	return slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(w, line) && strings.Count(w, " ") >= 2 })
}

// TestHL7IsPickedUp: a connection that is met in the middle of a message is
// read from the next one on.
func TestHL7IsPickedUp(t *testing.T) {
	text := "CANARY|x\rOBX|1\r\x1c\r\x0bMSH|^~\\&|A|B|||||ACK\r\x1c\r\x0bMSH|^~\\&|C|D|||||ACK\r\x1c\r"
	want := []string{"1 hl7.msh3_sending_app A", "1 hl7.msh3_sending_app C", "1 hl7.msh4_sending_facility B", "1 hl7.msh4_sending_facility D", "1 hl7.msh9_type ACK"}
	first := strings.Index(text, "A|B") // the start must come in one piece
	for cut := first; cut < len(text); cut++ {
		if d := cmp.Diff(want, said(converse(talk{client: text}, 6661, false, cut)...)); d != "" {
			t.Fatalf("split at byte %d (-want +got)\n%s", cut, d)
		}
	}
}

// TestMedibusHub: who collects is asked too, and answers: with nothing, or with
// its own name. That makes it no device that is collected from.
func TestMedibusHub(t *testing.T) {
	hub := "\x1b\x243F\r" + sum8("\x01Q", "") + sum8("\x01R", "") + sum8("\x01*", "") + sum8("\x01$", "") + sum8("\x010", "")
	device := "\x1bQ6C\r\x1bR6D\r" + "\x1b*45\r" + "\x1b\x243F\r"
	if d := cmp.Diff([]string{"1 medibus.client yes"}, slices.DeleteFunc(said(converse(talk{client: hub, server: device}, 4001, true, 0)...), func(s string) bool { return s[0] == '9' })); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestHL7Datagram: some senders put a message on UDP, with its frame or without.
// Nobody answers one, so it says nothing of whom it was sent to.
func TestHL7Datagram(t *testing.T) {
	want := []string{"1 hl7.msh3_sending_app A", "1 hl7.msh9_type ORU_R01"}
	message := "MSH|^~\\&|A||||CANARY|CANARY|ORU^R01|CANARY\rPID|1||CANARY\r"
	for _, b := range []string{message, "\x0b" + message + "\x1c\r"} {
		if d := cmp.Diff(want, said(udp(pump, server, []byte(b)))); d != "" {
			t.Errorf("%q (-want +got)\n%s", b, d)
		}
		for i := range strings.Index(b, "PID") - 1 {
			if got := said(udp(pump, server, []byte(b[:i]))); len(got) > 0 {
				t.Fatalf("%d bytes: %v", i, got)
			}
		}
	}
}

// TestLongAssociation: an association that is longer than what is assembled, or
// whose end is lost, says who took part, and nothing of the contexts: which
// role is meant stands behind them.
func TestLongAssociation(t *testing.T) {
	rq := "\x00\x01\x00\x00" + aeTitle("PACS") + aeTitle("US7") + strings.Repeat("\x00", 32) + dicomItem(0x10, "1.2.840.10008.3.1.1.1") + dicomContext(1, "1.2.840.10008.5.1.4.31")
	want := []string{"1 dicom.ae_title US7", "9 dicom.ae_title_called_as PACS"}
	long := dicomPDU(1, rq+strings.Repeat(dicomItem(0x20, "\x03\x00\x00\x00"+dicomItem(0x40, "1.2.840.10008.1.2")), 600))
	for _, size := range []int{1400, 16332, len(long)} {
		if d := cmp.Diff(want, said(stream(long, size)...)); d != "" {
			t.Errorf("in segments of %d bytes (-want +got)\n%s", size, d)
		}
	}
	if d := cmp.Diff(want, said(stream(long[:3000], 1400)...)); d != "" {
		t.Errorf("without its end (-want +got)\n%s", d)
	}
}

// TestRefusedHL7IsCounted: who refuses messages is a matter of the interface's health.
func TestRefusedHL7IsCounted(t *testing.T) {
	x := extract.New(extract.Options{Sink: func(fact.Batch) bool { return true }})
	for i, code := range []string{"AA", "AE", "AR", "CA", "CE", "CR", "XX"} {
		x.Frame(frame(platform.Ingress, float64(i), tcp(server, pump, ack, uint32(100*i), []byte("\x0bMSH|^~\\&|A\rMSA|"+code+"|CANARY\r\x1c\r"))))
	}
	x.Close()
	if n := x.Stats().HL7Refused; n != 4 {
		t.Errorf("%d refused, want 4", n)
	}
}
