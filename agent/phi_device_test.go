package agent

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// TestTrafficSpeaksEveryProtocol: each protocol that is recognised is in the
// traffic, with a secret in it.
func TestTrafficSpeaksEveryProtocol(t *testing.T) {
	var k traffic
	k.ward()
	spoken := make(map[dissect.Protocol]bool)
	for _, f := range k.frames {
		var v dissect.View
		v.Decode(dissect.FrameHeader{Link: dissect.LinkEthernet}, f.Data)
		if !bytes.Contains(v.Payload, []byte(secret)) {
			continue
		}
		recognise := dissect.RecogniseStream
		if v.Transport == dissect.TransportUDP {
			recognise = func(_ []byte, next int) (dissect.Protocol, int) { return dissect.RecogniseDatagram(&v, next) }
		}
		for p, next := recognise(v.Payload, 0); p != 0; p, next = recognise(v.Payload, next) {
			spoken[p] = true
		}
	}
	for _, p := range dissect.Protocols() {
		if !spoken[p] {
			t.Errorf("%v: no frame of the traffic has a secret in it", p)
		}
	}
}

// devices are the datagrams and the web services of medical devices.
func (k *traffic) devices() {
	k.discovery()
	k.unity()
	k.dri()
	k.personal()
	k.boxes()
}

// unity is the GE Unity network, with ward, bed and patient in the open, and the
// indication of Mindray.
func (k *traffic) unity() {
	label := func(n int) string { return fmt.Sprintf("%-*s", n, k.next())[:n] }
	rwhat := "\x01\x04\x00\x00" + "\x0a\x28\x7a\x67" + "\x5f\x5e\x10\x00" + label(16) + label(15) + "\x02\x00\x03\x07\xd0\x00\x13\x0b\xb8"
	rwhat += strings.Repeat("\x00", 88-len(rwhat))
	for _, port := range []uint16{7000, 9} {
		k.datagrams(port, rwhat)
	}
	for _, function := range []string{"\x00\xc9\x00\x14", "\x00\xc9\x00\x04", "\x00\xca\x00\x21"} {
		k.datagrams(2000, "\x0a\x28\x7a\xd6\x00\x00\x0a\x28\x7a\x67\x00\x00"+function+strings.Repeat("\x00", 8)+label(32)+"\x00\x00\x00\x00"+k.next()+k.next())
	}
	k.datagrams(4600, "MSH|^~\\&|"+k.word()+"|||||"+k.next()+"|ADT^A01|"+k.next()+"|P|2.3.1|\rPID|1||"+k.next()+"||"+k.next()+"^"+k.next()+"\rPV1||I|^^"+k.next()+"\r")
	for _, control := range []string{"106", "204", "503", "157"} {
		k.streams(4601, "\x0bMSH|^~\\&|||||||ORU^R01|"+control+"|P|2.3.1|"+k.next()+"\rPID|1||"+k.next()+"||"+k.next()+"\rOBX||NM|101^"+k.next()+"|2101|"+k.next()+"||||||F\rZMW|"+k.next()+"\r\x1c\r", "")
	}
}

// dri are the records of the computer interface of GE/Datex monitors.
func (k *traffic) dri() {
	frame := func(main byte, data string) string {
		b := append([]byte{byte(40 + len(data)), 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, main, 0}, strings.Repeat("\x00\x00\x06", 8)...)
		b = append(b, data...)
		sum := byte(0)
		for _, c := range b {
			sum += c
		}
		return "\x7e" + strings.NewReplacer("\x7e", "\x7d\x5e", "\x7d", "\x7d\x5d").Replace(string(append(b, sum))) + "\x7e"
	}
	all := ""
	for _, main := range []byte{0, 1, 4, 5, 8} {
		all += frame(main, k.next()+k.next())
	}
	k.streams(9001, all, all)
}

// personal is a personal health device and its manager.
func (k *traffic) personal() {
	block := k.sized
	part := "\x80\x00\x00\x00\xa0\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x08\x11\x22\x33\x44\x55\x66\x77\x88\x01\x90\x00\x01\x01\x00\x00\x00\x00\x00" + k.next()
	request := "\xe2\x00" + block("\x80\x00\x00\x00\x00\x02"+block("\xff\xff"+block(k.next())+"\x50\x79"+block(part)))
	list := ""
	for _, id := range []string{"\x09\x87", "\x0a\x5b", "\x09\x90", "\x09\x9c", "\x0a\x4b", "\x09\x84"} {
		list += id + block(k.next())
	}
	list += "\x09\x28" + block(block(k.word())+block(k.word()+"\x00"+k.next()))
	data := func(choice, v string) string { return "\xe7\x00" + block(block("\x00\x01"+choice+block(v))) }
	answers := data("\x02\x03", "\x00\x00\x00\x07"+block(list)) + data("\x01\x01", k.next()) + data("\x02\x03", "\x00\x07\x00\x07"+block(list))
	k.streams(6024, request+answers, "\xe3\x00"+block("\x00\x03\x50\x79"+block(part)))
}

// boxes are serial device servers, and what an IntelliVue monitor tells of
// itself when it is asked.
func (k *traffic) boxes() {
	item := func(kind byte, v string) string { return string([]byte{kind}) + k.short(v) }
	items := item(1, "\x00\x40\x9d\x00\x00\x01") + item(4, k.next()) + item(6, k.next()) + item(8, k.word()) + item(0x1a, k.next()) + item(0x63, k.next())
	for _, magic := range []string{"DIGI", "DVKT", "DGDP"} {
		k.datagrams(2362, magic+"\x00\x02"+k.sized(items))
	}
	moxa := "\x00\x00\x00\x00\x10\x51\x00\x80\x10\x51\x00\x90\xe8\x00\x00\x01\xc0\x00\x02\x07" + k.next()
	k.datagrams(4800, "\x81\x00\x00"+string([]byte{byte(k.length(4 + len(moxa)))})+moxa)
	k.datagrams(30718, "\x00\x00\x00\xf7"+k.next())

	block := k.sized
	list := ""
	for _, id := range []string{"\x09\x1e", "\x09\x57", "\x09\x5d", "\x09\x46", "\x09\xa7", "\xf0\x01"} {
		list += id + block(k.next())
	}
	event := "\x00\x21\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x06" + block("\x00\x21\x00\x00\x00\x00\x00\x06"+block(list))
	k.datagrams(24105, "\xe1\x00\x00\x02\x00\x01"+block("\x00\x01\x00\x01"+block(event)))
	for _, class := range []string{"\x00\x06", "\x00\x09", "\x00\x21", "\x00\x2a", "\x00\x36"} { // results of polls
		objects := "\x00\x01\x00\x06" + block(list)
		reply := "\x00\x01" + strings.Repeat("\x00", 12) + "\x00\x01" + class + "\x00\x00\x00\x01" + block("\x00\x00\x00\x01"+block(objects))
		k.datagrams(24105, "\xe1\x00\x00\x02\x00\x02"+block("\x00\x01\x00\x07"+block("\x00\x21\x00\x00\x00\x00\x0c\x16"+block(reply))))
	}
	tag := k.next()
	k.datagrams(12092, "\x7c\x83\x00\x01\xd9\x00"+string([]byte{0, byte(k.length(8 + len(tag)))})+tag)
}

// discovery is WS-Discovery and the metadata of an SDC device.
func (k *traffic) discovery() {
	fill := func(names string) (out string) {
		for n := range strings.FieldsSeq(names) {
			out += "<p:" + n + " a='" + k.next() + "'>" + k.next() + "</p:" + n + ">"
		}
		return out
	}
	const spaces = ` xmlns:d="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" xmlns:p="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"`
	scopes := "sdc.cdc.type:///69985"
	for _, s := range []string{"sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?fac=H&amp;bed=", "sdc.ctxt.opr:/", "sdc.ctxt.ens:/", "sdc.ctxt.wfl:/", "sdc.ctxt.mns:/", "onvif://www.onvif.org/name/", "onvif://www.onvif.org/location/", "ldap:///ou="} {
		scopes += " " + s + k.next()
	}
	hello := "<?xml version='1.0'?><Envelope" + spaces + "><Header>" + fill("MessageID From RelatesTo") + "</Header><Body><d:Hello><a:EndpointReference><a:Address>http://" + k.next() + "/</a:Address>" + fill("ReferenceParameters") +
		"</a:EndpointReference><d:Types>p:Device x:" + k.word() + "</d:Types><d:Scopes>" + scopes + "</d:Scopes><d:XAddrs>http://" + pumpIP + ":80/" + k.next() + " http://" + k.next() + ".example/</d:XAddrs>" + fill("MetadataVersion x") + "</d:Hello></Body></Envelope>"
	k.datagrams(3702, hello)
	k.datagrams(9, hello)
	k.datagrams(3702, strings.ReplaceAll(hello, "Hello", "Bye"))
	person := fill("Givenname Middlename Familyname Birthname Title Sex PatientType DateOfBirth Height Weight Race Identification")
	metadata := "<Envelope" + spaces + "><Body><p:ThisModel><p:Manufacturer>" + k.word() + "</p:Manufacturer>" + fill("ManufacturerUrl ModelUrl PresentationUrl SerialNumber") + "</p:ThisModel><p:ThisDevice>" + fill("FriendlyName Manufacturer") +
		"<p:SerialNumber>1</p:SerialNumber></p:ThisDevice><p:Mds Handle='" + k.next() + "'><p:Type Code='" + k.next() + "'>" + fill("ConceptDescription") + "</p:Type><p:MetaData>" + fill("HumanReadableForm Issuer ExpirationDate") +
		"</p:MetaData></p:Mds><p:State i:type='p:PatientContextState' ContextAssociation='Assoc'>" + person + "</p:State><p:State i:type='p:LocationContextState'>" + person + fill("LocationDetail") + "</p:State><p:State i:type='p:NumericMetricState'><p:MetricValue Value='" +
		k.next() + "'/></p:State><p:EpisodicContextReport>" + person + "</p:EpisodicContextReport></Body></Envelope>"
	const media = "Content-Type: application/soap+xml\r\n\r\n"
	k.streams(53200, "POST /"+k.next()+" HTTP/1.1\r\n"+media+metadata, "HTTP/1.1 200 OK\r\n"+media+metadata)
}

// TestProtocolsAreListed: the list is that of the tables.
func TestProtocolsAreListed(t *testing.T) {
	if all := dissect.Protocols(); len(all) < 10 || slices.Contains(all, 0) {
		t.Errorf("%d protocols: %v", len(all), all)
	}
}
