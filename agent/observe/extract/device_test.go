package extract_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// soap is a message of WS-Discovery with a body.
func soap(body string) []byte {
	return []byte(`<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing" xmlns:d="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" ` +
		`xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:m="http://standards.ieee.org/downloads/11073/11073-20702-2016"><s:Header>CANARY</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`)
}

// TestDeviceDatagrams: what devices say of themselves by datagrams: 1 is the
// pump, 9 the server.
func TestDeviceDatagrams(t *testing.T) {
	group := end{fact.MAC{1, 0, 0x5e, 0x7f, 0xff, 0xfa}, at(0, "239.255.255.250", 3702).ip, 3702}
	from, all := end{pump.mac, pump.ip, 3702}, at(255, "255.255.255.255", 0)
	const epr = "<a:EndpointReference><a:Address>urn:uuid:00000000-0000-1000-8000-0009fb000001</a:Address></a:EndpointReference>"
	hello := soap("<d:Hello>" + epr + "<d:Types>dpws:Device m:MedicalDevice</d:Types><d:Scopes>sdc.cdc.type:///69985 sdc.ctxt.loc:/x?bed=CANARY</d:Scopes><d:XAddrs>https://" + pump.ip.String() + ":51234/CANARY</d:XAddrs></d:Hello>")
	helloFacts := []string{"1 wsd.device device", "1 wsd.device sdc-provider", "1 wsd.device_code 69985", "1 wsd.endpoint urn:uuid:00000000-0000-1000-8000-0009fb000001",
		"1 wsd.scopes sdc.cdc.type:///69985", "1 wsd.types dpws:Device m:MedicalDevice", "1 wsd.xaddrs https://" + pump.ip.String() + ":51234"}
	match := func(address string) string {
		return "<d:ProbeMatch><d:Types>dpws:Device</d:Types><d:XAddrs>http://" + address + ":80/</d:XAddrs></d:ProbeMatch>"
	}
	tests := []struct {
		name   string
		frames [][]byte
		want   []string
	}{
		{"SDC hello", [][]byte{udp(from, group, hello)}, helloFacts},
		{"SDC hello on another port", [][]byte{udp(end{pump.mac, pump.ip, 9}, end{group.mac, group.ip, 9}, hello)}, helloFacts},
		{"SDC hello in fragments", fragments(udp(from, group, hello), 256), helloFacts},
		{"probe", [][]byte{udp(from, group, soap("<d:Probe><d:Types>dpws:Device</d:Types></d:Probe>"))}, nil},
		{"match", [][]byte{udp(from, server, soap("<d:ProbeMatches>"+match(pump.ip.String())+"</d:ProbeMatches>"))},
			[]string{"1 wsd.device device", "1 wsd.types dpws:Device", "1 wsd.xaddrs http://" + pump.ip.String() + ":80/"}},
		{"a match of another", [][]byte{udp(from, server, soap("<d:ProbeMatches>"+match("198.51.100.7")+"</d:ProbeMatches>"))}, nil},
		{"matches of several", [][]byte{udp(from, server, soap("<d:ProbeMatches>"+match(pump.ip.String())+match(pump.ip.String())+"</d:ProbeMatches>"))}, nil},
		{"RWHAT", [][]byte{udp(end{pump.mac, pump.ip, 3028}, end{broadcast, all.ip, 7000}, rwhat(pump.ip))}, []string{"1 unity.rwhat yes", "1 unity.services 3/2000,19/3000"}},
		{"RWHAT in fragments", fragments(udp(end{pump.mac, pump.ip, 3028}, end{broadcast, all.ip, 7000}, rwhat(pump.ip)), 32), []string{"1 unity.rwhat yes", "1 unity.services 3/2000,19/3000"}},
		{"RWHAT on another port", [][]byte{udp(from, server, rwhat(pump.ip))}, []string{"1 unity.rwhat yes", "1 unity.services 3/2000,19/3000"}},
		{"RWHAT of another, on another port", [][]byte{udp(from, server, rwhat(server.ip))}, nil},
		{"Unity vitals", [][]byte{udp(from, server, unityVitals(pump.ip))}, []string{"1 unity.sends vitals"}},
		{"Unity vitals of another", [][]byte{udp(from, server, unityVitals(server.ip))}, nil},
		{"Mindray indication", [][]byte{udp(from, end{broadcast, all.ip, 4600}, []byte("MSH|^~\\&|A7|WARD|||||ADT^A01|101|P|2.3.1|\rPID|1||CANARY\r"))},
			[]string{"1 hl7.msh12_version 2.3.1", "1 hl7.msh3_sending_app A7", "1 hl7.msh4_sending_facility WARD", "1 mindray.indication yes"}},
		{"ADDP", [][]byte{udp(end{pump.mac, pump.ip, 2362}, server, be("DIGI", uint16(2), uint16(30), "\x01\x06\x00\x40\x9d\x00\x00\x01\x04\x06CANARY\x08\x03v82\x0d\x04Conn\x12\x01\x04"))},
			[]string{"1 addp.fw v82", "1 addp.ports 4", "1 addp.product Conn", "1 serial.server digi"}},
		{"ADDP question", [][]byte{udp(from, group, be("DIGI", uint16(1), uint16(8), "\x01\x06\xff\xff\xff\xff\xff\xff"))}, nil},
		{"Moxa", [][]byte{udp(end{pump.mac, pump.ip, 4800}, server, be("\x81\x00\x00\x1e", uint32(0), "\x10\x51\x00\x80\x10\x51\x00\x90\xe8\x00\x00\x01", pump.ip, "CANARY"))}, []string{"1 moxa.model 5110", "1 serial.server moxa"}},
		{"Lantronix", [][]byte{udp(end{fact.MAC{0, 0x20, 0x4a, 0, 0, 1}, pump.ip, 30718}, server, be("\x00\x00\x00\xf7CANARY"))}, []string{"1 serial.server lantronix"}},
		{"Lantronix by its port alone", [][]byte{udp(end{pump.mac, pump.ip, 30718}, server, be("\x00\x00\x00\xf7CANARY"))}, nil},
		{"MDS create event", [][]byte{udp(end{pump.mac, pump.ip, 24105}, server, mdsCreate("\x09\x28\x00\x04GE\x00\x00\x00\x0286", "\x09\x46\x40\x00", "\x09\x1eCANARY"))},
			[]string{"1 intellivue.maker GE", "1 intellivue.mode monitoring", "1 intellivue.model 86"}},
		{"AeroScout reader", [][]byte{udp(end{pump.mac, pump.ip, 1144}, end{server.mac, server.ip, 12092}, be("\x7c\x83\x00\x01\xd9\x00", uint16(14), "CANARY"))}, []string{"1 rtls.reader aeroscout"}},
		{"AeroScout engine", [][]byte{udp(end{pump.mac, pump.ip, 12092}, end{server.mac, server.ip, 1144}, be("\x7c\x83\x00\x01\xd0\x00", uint16(8)))}, []string{"1 rtls.engine aeroscout"}},
		{"poll of values", [][]byte{udp(end{pump.mac, pump.ip, 9}, server, pollResult(6, "\x09\x50CANARY"))}, []string{"1 intellivue.sends values"}},
		{"poll of values of which there are none", [][]byte{udp(end{pump.mac, pump.ip, 9}, server, pollResult(6, ""))}, []string{"1 intellivue.sends nothing"}},
		{"poll of the monitor", [][]byte{udp(end{pump.mac, pump.ip, 24105}, server, pollResult(0x21, "\x09\x46\x00\x02"))}, []string{"1 intellivue.mode standby"}},
		{"poll of the patient", [][]byte{udp(end{pump.mac, pump.ip, 24105}, server, pollResult(0x2a, "\x09\x57\x00\x02"))}, []string{"1 intellivue.in_use yes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := lines(run(platform.Ingress, tt.frames...).Facts)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if strings.Contains(strings.Join(got, "\n"), "CANARY") {
				t.Error("a canary came out")
			}
		})
	}
}

// TestClientsSpeak: what is sent to somebody makes nobody a client who has not
// spoken: anyone can send it.
func TestClientsSpeak(t *testing.T) {
	monitor := end{pump.mac, pump.ip, 24105}
	accept := be("\x0e\x0a\x01\x02\x03\x2a\x86\x48\xce\x14\x02\x01")
	oru := []byte("\x0bMSH|^~\\&|A|||||| ORU^R01\r\x1c\r")
	for _, tt := range []struct {
		name, want string
		asks, says []byte
	}{
		{"Unity", "9 unity.client yes", udp(server, monitor, []byte("?")), udp(monitor, server, unityVitals(pump.ip))},
		{"IntelliVue association", "9 intellivue.client yes", udp(server, monitor, []byte("?")), udp(monitor, server, accept)},
		{"IntelliVue data", "9 intellivue.client yes", udp(server, monitor, []byte("?")), udp(monitor, server, pollResult(6, "\x09\x50x"))},
		{"IntelliVue create", "9 intellivue.client yes", udp(server, monitor, []byte("?")), udp(monitor, server, mdsCreate("\x09\x46\x40\x00"))},
		{"HL7", "9 hl7.receives", tcp(server, pump, ack, 1, nil), tcp(pump, server, ack, 1, oru)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := func(frames ...[]byte) bool {
				return slices.ContainsFunc(lines(run(platform.DirUnknown, frames...).Facts), func(s string) bool { return strings.HasPrefix(s, tt.want) })
			}
			if client(tt.says) || client(tt.says, tt.says) {
				t.Error("a client that never spoke")
			}
			if !client(tt.asks, tt.says) {
				t.Error("a client that spoke is none")
			}
		})
	}
}

// TestUnityClient: a central asks each monitor on port 2000, and is answered from
// another port to where it asked from.
func TestUnityClient(t *testing.T) {
	request := func(from, to end) []byte {
		from.port, to.port = 3073, 2000
		return udp(from, to, be(uint32(0), uint16(0), from.ip, uint16(0), uint16(0xca), uint16(0x60), make([]byte, 44)))
	}
	vitals := udp(end{pump.mac, pump.ip, 3011}, end{server.mac, server.ip, 3073}, unityVitals(pump.ip))
	other := at(8, "192.0.2.8", 0)
	for _, tt := range []struct {
		name string
		asks []byte
		want bool
	}{
		{"asked", request(server, pump), true},
		{"asked another", request(server, other), false},
		{"another asked", request(other, pump), false},
		{"asked the other way", request(pump, server), false},
		{"asked in another's name", udp(end{server.mac, server.ip, 3073}, end{pump.mac, pump.ip, 2000}, be(uint32(0), uint16(0), other.ip, uint16(0), uint16(0xca), uint16(0x60), make([]byte, 44))), false},
	} {
		facts := lines(run(platform.DirUnknown, tt.asks, vitals).Facts)
		if got := slices.Contains(facts, "9 unity.client yes"); got != tt.want {
			t.Errorf("%s: %q", tt.name, facts)
		}
	}
}

// TestLongPHD: a message that is longer than what is looked at is passed over.
func TestLongPHD(t *testing.T) {
	report := func(n int) string { // an event report of that many bytes
		b := be(uint16(0xe700), uint16(n-4), uint16(n-6), uint16(1), uint16(0x100), uint16(n-12), make([]byte, 6), uint16(0x0d1d), make([]byte, n-20))
		return string(b)
	}
	for _, n := range []int{60, 5000, 60000} {
		text := report(n) + report(60)
		for _, size := range []int{1400, len(text)} {
			if d := cmp.Diff([]string{"1 phd.reports yes"}, said(stream(text, size)...)); d != "" {
				t.Errorf("%d bytes in segments of %d (-want +got)\n%s", n, size, d)
			}
		}
	}
}

// rwhat is the message by which a GE monitor tells that it is there.
func rwhat(ip netip.Addr) []byte {
	b := be("\x01\x04\x00\x00", ip, uint32(1600000000), "ICU|CANARY\x00\x00\x00\x00\x00\x00CANARY,JANE\x00\x00\x00\x00", uint8(2), uint16(3), uint16(2000), uint16(19), uint16(3000))
	return append(b, make([]byte, 88-len(b))...)
}

// unityVitals is the header of a message with values behind it.
func unityVitals(ip netip.Addr) []byte {
	return be(uint32(0), uint16(0), ip, uint16(0), uint16(0xc9), uint16(0x14), make([]byte, 8), "CANARY", make([]byte, 30), "CANARY")
}

// mdsCreate is the event by which an IntelliVue monitor answers an association.
func mdsCreate(attributes ...string) []byte {
	block := func(b []byte) []byte { return be(uint16(len(b)), b) }
	var list []byte
	for _, a := range attributes {
		list = be(list, a[:2], block([]byte(a[2:])))
	}
	list = be(uint16(len(attributes)), block(list))
	event := be(uint16(0x21), uint32(0), uint32(0), uint16(0x0d06), block(be(uint16(0x21), uint32(0), list)))
	return be(uint32(0xe1000002), uint16(1), block(be(uint16(1), uint16(1), block(event))))
}

// pollResult is what an IntelliVue monitor answers of its objects of a class:
// one with an attribute, or none.
func pollResult(class uint16, attribute string) []byte {
	block := func(b []byte) []byte { return be(uint16(len(b)), b) }
	var objects []byte
	if attribute != "" {
		objects = be(uint16(1), uint16(1), block(be(attribute[:2], block([]byte(attribute[2:])))))
	}
	context := be(uint16(0), uint16(min(len(objects), 1)), block(objects))
	reply := be(uint16(1), make([]byte, 12), uint16(1), class, uint16(0), uint16(1), block(context))
	action := be(uint16(0x21), uint32(0), uint16(0x0c16), block(reply))
	return be(uint32(0xe1000002), uint16(2), block(be(uint16(1), uint16(7), block(action))))
}

// driFrame is a record of a main type with data behind its header: of the
// network a registration, of others the first of their subrecords.
func driFrame(main byte, data string) string {
	if main == 5 {
		return driRecord(main, 0, data)
	}
	return driRecord(main, 1, data)
}

// driRecord is a record of a main type with one subrecord.
func driRecord(main, sub byte, data string) string {
	b := []byte{byte(40 + len(data)), 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, main, 0, 0, 0, sub}
	for len(b) < 40 {
		b = append(b, 0, 0, 0xff)
	}
	b, sum := append(b[:40], data...), byte(0)
	for _, c := range b {
		sum += c
	}
	return "\x7e" + strings.NewReplacer("\x7e", "\x7d\x5e", "\x7d", "\x7d\x5d").Replace(string(append(b, sum))) + "\x7e"
}

// apdu is a message of a personal health device.
func apdu(choice uint16, v string) string { return string(be(choice, uint16(len(v)), v)) }

// deviceTalks are what devices say of themselves over connections.
func deviceTalks() []talk {
	const metadata = `<p:R xmlns:p="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"><p:ThisModel><p:Manufacturer>Maker</p:Manufacturer><p:ModelName>Flow</p:ModelName></p:ThisModel>` +
		`<p:ThisDevice><p:FriendlyName>CANARY</p:FriendlyName><p:FirmwareVersion>2.1</p:FirmwareVersion><p:SerialNumber>SN1</p:SerialNumber></p:ThisDevice></p:R>`
	state := func(root string) string {
		return `<p:` + root + ` xmlns:p="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:i="x"><p:ContextState i:type="p:PatientContextState" ContextAssociation="Assoc"><p:CoreData><p:Givenname>CANARY</p:Givenname></p:CoreData></p:ContextState></p:` + root + `>`
	}
	request := func(body string) string {
		return "POST /CANARY HTTP/1.1\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	part := func(kind string) string {
		return string(be(uint16(0x5079), uint16(38), "\x80\x00\x00\x00\xa0\x00\x80\x00\x00\x00\x00\x00\x00\x00"+kind+"\x00\x00\x00\x08\x11\x22\x33\x44\x55\x66\x77\x88\x01\x90\x00\x01\x01\x00\x00\x00\x00\x00"))
	}
	get := "\x00\x00\x00\x02\x00\x14" + "\x0a\x44\x00\x02\x01\x90" + "\x09\x87\x00\x0aCANARYTIME"
	return []talk{
		{"DRI behind a serial server", driFrame(5, "\x00\x40\x97\x00\x00\x7e\x0a\x00\x08\x00CANARY") + driFrame(0, "CANARY") + driFrame(1, "CANARY"),
			driRecord(0, 0, "\x01\x0a\x00\x0e\x00\x00\x00\x00\x00") + driRecord(1, 0, "CANARY") + driRecord(4, 0, "CANARY"), // who asks is no monitor
			[]string{"1 dri.device_type 10", "1 dri.level 8", "1 dri.mac 00:40:97:00:00:7e", "1 dri.record network", "1 dri.record values", "1 dri.record wave"}},
		{"personal health device", apdu(0xe200, "\x80\x00\x00\x00\x00\x01\x00\x2a"+part("\x00\x80")) + apdu(0xe700, "\x00\x20\x00\x01\x02\x03\x00\x1a"+get) + apdu(0xe700, "\x00\x14\x00\x02\x01\x01\x00\x0e\x00\x00\xff\xff\xff\xff\x0d\x1dCANARY"),
			apdu(0xe300, "\x00\x03"+part("\x80\x00")), []string{"1 phd.config 400", "1 phd.reports yes", "1 phd.system_id 1122334455667788", "9 phd.manager yes"}},
		{"metadata of a device", request("<Get/>"), "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: " + strconv.Itoa(len(metadata)) + "\r\n\r\n" + metadata,
			[]string{"9 dpws.fw 2.1", "9 dpws.maker Maker", "9 dpws.model Flow", "9 dpws.serial SN1"}},
		{"report of a context", request(state("EpisodicContextReport")), "", []string{"1 sdc.in_use yes"}},
		{"request for a context", request(state("SetContextState")), "", nil},
	}
}

// TestDRIIsPickedUp: a connection that is met in the middle of a record is read
// from the next one on.
func TestDRIIsPickedUp(t *testing.T) {
	text := driFrame(0, "some values")[20:] + driFrame(1, "waves") + driFrame(4, "alarms")
	want := []string{"1 dri.level 8", "1 dri.record alarm", "1 dri.record wave"}
	if d := cmp.Diff(want, said(converse(talk{client: text}, 9001, false, 0)...)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestInstrumentsBehindOneMAC: what several instruments say through one serial
// device server are facts of its MAC.
func TestInstrumentsBehindOneMAC(t *testing.T) {
	medibus, sum := "\x01R8020'TestVent'01.00:04.00", byte(0)
	for _, c := range []byte(medibus) {
		sum += c
	}
	box := func(port uint16, data string) []byte {
		return tcp(end{pump.mac, pump.ip, port}, server, ack, 1, []byte(data))
	}
	want := []string{"1 dri.level 8", "1 dri.record values", "1 medibus.id 8020", "1 medibus.model TestVent", "1 medibus.version 01.00"}
	if d := cmp.Diff(want, said(box(4001, driFrame(0, "CANARY")), box(4002, fmt.Sprintf("%s%02X\r", medibus, sum)))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
