package dissect

import (
	"strings"
	"testing"
)

func TestCanaryBCC(t *testing.T) {
	var k marker
	var records []string
	for _, name := range strings.Fields("PATID PATW PATH PATAGE PATSEX PATIDBADGE PATIDDRUG INPATW NURSEID DRUGORDERNO INSOL INSOLSN INSOLID INRT INSRATE GNACK GNERR INM3 RUNSTATE DSSTATUS XXX") {
		records = append(records, k.next()+",50111,"+name+","+k.next())
	}
	records = append(records, "1,"+k.next()+",INNR,"+k.next(), k.next()+",50111,GNMODEL,Allowed", "1,50111,ADMIN,"+k.next(), "1,50111,VERSION,V"+k.next(), k.next())
	var all []canary
	for _, r := range records {
		all = append(all, canary{r, []byte(bccFrame("bed"+k.next()+"/1/1", r)), strings.Count(r, "Allowed")})
	}
	all = append(all, canary{"long", []byte(bccFrame(k.next(), bccRecords(records...))), 1}, canary{"request", []byte(bccFrame(k.next(), "MEM:GET"+k.next())), 0})
	// A word with D or E in it would be written otherwise: CANARY has none.
	checkCanaries(t, func(m *BCC, b []byte) bool { return m.DecodeStream(b) == Done }, all...)
}

func TestCanaryMedibus(t *testing.T) {
	var k marker
	var all []canary
	for _, code := range []byte{0x15, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x30, 0x49, 0x4a, 0x51, 0x53, 0x54, 0x55, 0x56} {
		for _, start := range []byte{1, 0x1b} {
			if start == 0x1b && isBareMedibus(code) {
				continue // no MEDIBUS with arguments
			}
			all = append(all, canary{string([]byte{code}), []byte(medibus(start, code, "1E3"+k.next()+"\x03"+k.next())), 0})
		}
	}
	all = append(all, canary{"identity of another form", []byte(medibus(1, 0x52, k.next()+"'"+k.next()+"'"+k.next())), 0},
		canary{"identity", []byte(medibus(1, 0x52, "8000'Allowed'01.00:04.00") + medibus(1, 0x24, k.next())), 1})
	checkCanaries(t, func(m *Medibus, b []byte) bool { return m.DecodeStream(b) == Done }, all...)
}

func TestCanaryASTM(t *testing.T) {
	var k marker
	decode := func(m *ASTM, b []byte) bool { return m.DecodeStream(b) == Done }
	var all []canary
	for _, letter := range strings.Split("PORCQLMS", "") {
		all = append(all, canary{letter, []byte(astmFrame(k.fields("1"+letter, 25, nil)+"\r", 3)), 0})
	}
	header := "1" + k.fields("H", 16, map[int]string{1: `\^&`, 4: "Allowed^Allowed^Allowed^" + k.next(), 12: "Allowed^" + k.next()})
	all = append(all, canary{"header", []byte(astmFrame(header+"\r"+k.fields("P", 8, nil)+"\r", 3)), 4}, canary{"header that is cut", []byte(astmFrame(header[:40], 0x17) + k.next()), 0})
	checkCanaries(t, decode, all...)
}

func TestCanaryPOCT1A(t *testing.T) {
	var k marker
	v := func(name string) string { return "<" + name + ` V="` + k.next() + `" U="` + k.next() + `"/>` }
	hidden := ""
	for _, object := range strings.Fields("PT OPR ORD SPC OBS SVC CTC NTE HDR DEV DSC ACC") {
		hidden += "<" + object + ">" + v(object+".name") + v(object+".value") + v(object+".control_id") + v(object+".creation_dttm") + k.next() + "</" + object + ">"
	}
	deep := "<X><DEV>" + v("DEV.serial_id") + v("HDR.version_id") + "</DEV></X>" + v("DEV.serial_id")
	allowed := `<HDR><HDR.version_id V="` + k.next() + `"/></HDR><DEV><DEV.serial_id V="Allowed"/><DEV.device_name V="Allowed"/></DEV>`
	decode := func(m *POCT1A, b []byte) bool { return m.DecodeStream(b) == Done }
	checkCanaries(t, decode, canary{"hello", []byte("<HEL.R01 V='" + k.next() + "'>" + allowed + deep + hidden + k.next() + "</HEL.R01>"), 2})
	for n := POCTStatus; n.String() != ""; n++ {
		checkCanaries(t, decode, canary{n.String(), []byte("<" + n.String() + ">" + allowed + hidden + `<DST><DST.condition_cd V="` + k.next() + `"/></DST></` + n.String() + ">"), 0})
	}
}

func TestCanarySerialASCII(t *testing.T) {
	var k marker
	checkCanaries(t, func(m *SerialASCII, b []byte) bool { return m.DecodeStream(b) == Done },
		canary{"Asena", []byte(asena("INF^" + k.next() + "^" + k.next())), 0}, canary{"Asena, serial number", []byte(asena("INST_SERIALNO^Allowed") + asena(k.next())), 1},
		canary{"AS50", []byte("[STATUS?]" + k.next()), 0}, canary{"AS50, answer", []byte("[ACK]" + k.next()), 0},
		canary{"PB840", []byte("MISCA,706,97,\x02," + k.next() + ",Allowed ," + k.next() + "," + k.next() + ",\x03\r"), 1},
		canary{"Masimo", []byte("01/02/26 03:04:05 SN=12345 SPO2=" + k.next() + " BPM=" + k.next() + "\r\n"), 0})
}
