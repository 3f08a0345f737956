package extract_test

import (
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
	from := end{pump.mac, pump.ip, 3702}
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
	return []talk{
		{"metadata of a device", request("<Get/>"), "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: " + strconv.Itoa(len(metadata)) + "\r\n\r\n" + metadata,
			[]string{"9 dpws.fw 2.1", "9 dpws.maker Maker", "9 dpws.model Flow", "9 dpws.serial SN1"}},
		{"report of a context", request(state("EpisodicContextReport")), "", []string{"1 sdc.in_use yes"}},
		{"request for a context", request(state("SetContextState")), "", nil},
	}
}
