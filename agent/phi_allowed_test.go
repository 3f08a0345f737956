package agent

import (
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// TestTrafficStatesEveryText: each kind of fact that holds text of the sender's
// choice is stated of a device in the traffic. So each such field also stands
// there with a person in it, where the traffic is owned.
func TestTrafficStatesEveryText(t *testing.T) {
	var k traffic
	k.ward()
	stated := map[fact.Kind]bool{fact.OUIVendor: true} // is read from no frame
	for _, f := range facts(k.frames) {
		stated[f.Kind] = true
	}
	checked := 0
	for _, kind := range kinds(t) {
		v, _ := fact.New(kind, "j.doe@hospital.example") // made for text, if it looks for persons in it
		if v.Personal() && !stated[kind] {
			t.Errorf("%s: is not stated in the traffic", kind)
		}
		if v.Personal() {
			checked++
		}
	}
	if checked < 40 {
		t.Errorf("only %d kinds hold text", checked)
	}
}

// kinds are all that the agent knows.
func kinds(t *testing.T) (all []fact.Kind) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "fact/kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil {
				all = append(all, fact.Kind(s))
			}
		}
		return true
	})
	return all
}

// allowed are the fields that may get out and stand in none of the other
// messages, with secrets around them.
func (k *traffic) allowed() {
	// mDNS: what a device is, beside whose it is.
	name := "\x04_ipp\x04_tcp\x05local\x00"
	texts := ""
	for s := range strings.FieldsSeq("ty= usb_MFG= fv= product= mfg= vs=") {
		texts += k.short(s+k.word()) + k.short("note="+k.next())
	}
	record := func(kind byte, data string) string {
		return name + string([]byte{0, kind}) + "\x00\x01\x00\x00\x00\x78" + k.sized(data)
	}
	for _, target := range []string{"\x05local\x00", name} {
		k.datagrams(5353, "\x00\x00\x84\x00\x00\x00\x00\x02\x00\x00\x00\x00"+record(12, k.short("_"+k.word())+target)+record(16, texts))
	}

	tlv := func(kind byte, value string) string { return string([]byte{kind << 1}) + k.short(value) }
	lldp := tlv(1, "\x04\x00\x12\x21\xfe\x64\x5e") + tlv(2, "\x07"+k.next()) + tlv(3, "\x00\x78") + tlv(4, k.next()) + tlv(7, "\x00\x04\x00\x04")
	for kind := byte(5); kind <= 11; kind++ {
		lldp += tlv(127, "\x00\x12\xbb"+string([]byte{kind})+k.word())
	}
	k.out(0x88cc, []byte(lldp+tlv(127, "\x00\x12\xbb\x03"+k.next())+"\x00\x00"))

	k.tls()

	for _, s := range []string{`{"resourceType":"CapabilityStatement","implementation":{"custodian":{"display":"` + k.next() + `"},"description":"` + k.word() + `"},"contact":[{"name":"` + k.next() + `"}],"fhirVersion":"4.0.1"}`} {
		k.streams(8080, "GET /metadata HTTP/1.1\r\nAccept: application/fhir+json\r\n\r\n", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%s", len(s), s))
	}

	hello := "<HEL.R01><HDR><HDR.control_id V='" + k.next() + "'/></HDR><DEV>"
	for s := range strings.FieldsSeq("device_id vendor_id model_id serial_id manufacturer_name hw_version sw_version device_name") {
		hello += "<DEV." + s + " V='" + k.word() + "'/><DEV.x V='" + k.next() + "'/>"
	}
	k.streams(4004, hello+"</DEV></HEL.R01>", k.next())

	asena := func(text string) string {
		crc := uint16(0xffff)
		for i := range len(text) {
			crc ^= uint16(text[i]) << 8
			for range 8 {
				if carry := crc&0x8000 != 0; carry {
					crc = crc<<1 ^ 0x1021
				} else {
					crc <<= 1
				}
			}
		}
		return fmt.Sprintf("!%s|%04X\r", text, crc)
	}
	k.streams(4005, asena("INST_SERIALNO"), asena("INST_SERIALNO^"+k.word())+asena("COMMS_PROTOCOL^"+k.word())+asena("INF_DRUG^"+k.next()))

	const spaces = ` xmlns:p="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"`
	fill := func(names string, content func() string) (out string) {
		for n := range strings.FieldsSeq(names) {
			out += "<p:" + n + ">" + content() + "</p:" + n + "><p:x a='" + k.next() + "'>" + k.next() + "</p:x>"
		}
		return out
	}
	for _, body := range []string{
		"<p:ThisModel>" + fill("Manufacturer ModelName ModelNumber", k.word) + "</p:ThisModel><p:ThisDevice>" + fill("FirmwareVersion SerialNumber", k.word) + fill("FriendlyName", k.next) + "</p:ThisDevice>",
		"<p:Mds><p:MetaData><p:Udi>" + fill("DeviceIdentifier", k.word) + fill("HumanReadableForm", k.next) + "</p:Udi>" + fill("LotNumber Manufacturer ModelName ModelNumber SerialNumber", k.word) + fill("ExpirationDate", k.next) + "</p:MetaData></p:Mds>" +
			"<p:State i:type='p:PatientContextState' ContextAssociation='Assoc'>" + fill("Givenname Familyname", k.next) + "</p:State>",
	} {
		const head = "HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n"
		k.streams(53200, "POST / "+head+"<E"+spaces+">"+k.next()+"</E>", "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<E"+spaces+">"+body+"</E>")
	}

	k.pumpRack()
	k.modules()
}

// pumpRack are the numbers of infusion pumps, beside what they infuse and whom.
func (k *traffic) pumpRack() {
	values := []string{}
	for s := range strings.FieldsSeq("GNMODEL INNR INDTNR INSERNUM") {
		values = append(values, "1,50111,"+s+","+strings.ToLower(k.word()), "1,50111,PATID,"+k.next())
	}
	text := k.next() + "/1/1>" + strings.Join(values, "\x1e")
	b, sum := fmt.Sprintf("\x01%05d\x02%s\x03", k.length(len(text)+14), text), 0
	for i := range len(b) {
		sum += int(b[i])
	}
	k.streams(4001, "", strings.NewReplacer("D", "EX", "E", "EE", "d", "ex", "e", "ee").Replace(fmt.Sprintf("%s%05d\x04", b, sum%256)))
}

// modules are the production data of a patient monitor, of a personal health
// device and of a serial device server.
func (k *traffic) modules() {
	part := func(kind string) string { return kind + k.sized(k.word()+"\x00"+k.next()) }
	list := "\x09\x28" + k.sized(k.sized(k.word())+k.sized(k.word()+"\x00"+k.next()))
	list += "\x09\x2d" + k.sized("\x00\x03"+k.sized(part("\x00\x01\x00\x08")+part("\x00\x02\x00\x58")+part("\x00\x04\x00\x58")))
	list += "\x09\x57" + k.sized(k.next())
	event := "\x00\x23\x00\x00\x00\x00\x00\x00\x10\x00\x0d\x17" + k.sized("\x00\x03"+k.sized(list))
	k.datagrams(24005, "\x00\x00\x01\x00\x00\x01"+k.sized("\x00\x00\x00\x00"+k.sized(event)))

	part = func(kind string) string { return kind + "\x00\x00" + k.sized(k.word()) }
	list = "\x09\x28" + k.sized(k.sized(k.word())+k.sized(k.word())) + "\x09\x2d" + k.sized("\x00\x02\x00\x00"+part("\x00\x01")+part("\x00\x05")) + "\x09\x87" + k.sized(k.next())
	k.streams(6024, "\xe7\x00"+k.sized(k.sized("\x00\x01\x02\x03"+k.sized("\x00\x00\x00\x03"+k.sized(list)))), "")

	item := func(kind byte, v string) string { return string([]byte{kind}) + k.short(v) }
	items := item(1, "\x00\x40\x9d\x00\x00\x01") + item(4, k.next()) + item(8, k.word()) + item(0x0d, k.word()) + item(0x1a, k.next())
	k.datagrams(2362, "DIGI\x00\x02"+k.sized(items))
}

// tls names whom a person asks, and is named in certificates: of a server, and
// of who signs on with a card.
func (k *traffic) tls() {
	record := func(kind byte, value string) string {
		return "\x16\x03\x03" + k.sized(string([]byte{kind, 0, byte(len(value) >> 8), byte(len(value))})+value)
	}
	extension := func(kind, value string) string { return kind + k.sized(value) }
	protocols := func() string { return extension("\x00\x10", k.sized(k.short(k.word())+k.short("h2"))) }
	head := "\x03\x03" + strings.Repeat("r", 32) + "\x00"
	client := head + "\x00\x02\xc0\x2f\x01\x00" + k.sized(extension("\x00\x00", k.sized("\x00"+k.sized(k.next()+"s-ipad.clinic.example")))+protocols()+extension("\x00\x23", k.next()))
	server := head + "\xc0\x2f\x00" + k.sized(protocols())
	certificate := k.certificate()
	chain := "\x00" + k.sized("\x00"+k.sized(certificate))
	k.streams(443, record(1, client)+record(11, chain), record(2, server)+record(11, chain))
}

// windows is how desktops name themselves and those who sit at them.
func (k *traffic) windows() {
	wide := func(s string) (out string) {
		for _, c := range []byte(s) {
			out += string([]byte{c, 0})
		}
		return out
	}
	little := func(n int) string {
		return string(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, 14), 14), uint32(n)))
	}
	fields, values := "", ""
	for range 6 { // answers, domain, user, workstation, key
		fields, values = fields+little(88+len(values)), values+wide(k.next())
	}
	blob := "NTLMSSP\x00\x03\x00\x00\x00" + fields + "\x01\x02\x08\xa2\x0a\x00\x61\x4a\x00\x00\x00\x0f" + values
	smb := "\xfeSMB\x40\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00" + strings.Repeat("\x00", 48) + "\x19\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x58\x00" +
		string(binary.LittleEndian.AppendUint16(nil, uint16(len(blob)))) + strings.Repeat("\x00", 8) + blob
	tree := "\xfeSMB\x40\x00\x01\x00\x00\x00\x00\x00\x03\x00\x00\x00" + strings.Repeat("\x00", 48) + "\x09\x00\x00\x00\x48\x00\x40\x00" + wide(`\\`+k.next()+`\`+k.next()+"$")
	framed := func(s string) string { return "\x00\x00" + k.sized(s) }
	k.streams(445, framed(smb)+framed(tree), framed(smb))

	// NetBIOS writes a half of each byte as a letter.
	half := func(s string) (out string) {
		for _, c := range []byte(fmt.Sprintf("%-15.15s\x00", s)) {
			out += string([]byte{'A' + c>>4, 'A' + c&15})
		}
		return k.short(out) + "\x00"
	}
	k.datagrams(137, "\x00\x01\x29\x10\x00\x01\x00\x00\x00\x00\x00\x01"+half(k.next())+"\x00\x20\x00\x01\xc0\x0c\x00\x20\x00\x01\x00\x00\x00\x00\x00\x06\x00\x00\x0a\x28\x7a\x67")
	k.datagrams(138, "\x11\x02\x00\x01\x0a\x28\x7a\x67\x00\x8a\x00\xbb\x00\x00"+half(k.next())+half(k.next())+"\xffSMB%"+k.next()+"\\MAILSLOT\\BROWSE\x00\x01\x00"+k.next())
	k.datagrams(5355, "\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"+k.short(k.next()+"-PC")+"\x00\x00\x01\x00\x01")
	k.datagrams(1900, "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nUSN: uuid:"+k.next()+"\r\nLOCATION: http://"+k.next()+"/\r\nSERVER: "+k.word()+"\r\nX-FRIENDLYNAME: "+k.next()+"\r\n\r\n")

	// A DHCP server's answer, with the names of who asked.
	b := make([]byte, 236)
	mac := pumpMAC()
	b[0], b[1], b[2] = 2, 1, 6
	copy(b[28:], mac[:])
	option := func(code byte, value string) string { return string([]byte{code}) + k.short(value) }
	k.frames = append(k.frames, platform.Frame{Dir: platform.Egress, Data: hosttest.Ethernet(pumpMAC(), serverMAC(), 0x0800, hosttest.IPv4(serverIP, pumpIP, 17, 0,
		hosttest.UDP(67, 68, []byte(string(b)+"\x63\x82\x53\x63"+option(53, "\x05")+option(12, k.next()+"s-iPhone")+option(15, k.next()+".example")+option(119, k.next())+option(252, "http://"+k.next())+"\xff"))))})
}
