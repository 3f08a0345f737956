package dissect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	wsd2005 = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
	wsd2009 = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
	uuid    = "urn:uuid:00000000-0000-1000-8000-0009fb000001"
)

// wsd is a message with a body, in the words of sdc11073.
func wsd(space, body string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" ` +
		`xmlns:wsd="` + space + `" xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:mdpws="http://standards.ieee.org/downloads/11073/11073-20702-2016">` +
		`<s12:Header><wsa:Action>x</wsa:Action><wsa:MessageID>urn:uuid:1</wsa:MessageID></s12:Header><s12:Body>` + body + `</s12:Body></s12:Envelope>`)
}

// epr is an endpoint reference.
func epr(address string) string {
	return "<wsa:EndpointReference><wsa:Address>" + address + "</wsa:Address></wsa:EndpointReference>"
}

// sdcHello is the hello of an SDC provider.
func sdcHello() []byte {
	return wsd(wsd2009, "<wsd:Hello>"+epr(uuid)+"<wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types>"+
		"<wsd:Scopes>sdc.mds.pkp:1.2.840.10004.20701.1.1 sdc.cdc.type:///69985 sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?fac=H&amp;poc=ICU&amp;bed=7</wsd:Scopes>"+
		"<wsd:XAddrs>https://192.0.2.7:51234/00000000000010008000000009fb0001</wsd:XAddrs><wsd:MetadataVersion>1</wsd:MetadataVersion></wsd:Hello>")
}

func TestWSDiscovery(t *testing.T) {
	mapped := func(d byte) (ip [16]byte) { return [16]byte{10: 0xff, 0xff, 192, 0, 2, d} }
	match := func(kind, inner string) string {
		return "<wsd:" + kind + "Matches><wsd:" + kind + "Match>" + inner + "</wsd:" + kind + "Match></wsd:" + kind + "Matches>"
	}
	printer := `<wsd:Types xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof" xmlns:wprt="http://schemas.microsoft.com/windows/2006/08/wdp/print" ` +
		`xmlns:wscn="http://schemas.microsoft.com/windows/2006/08/wdp/scan">wsdp:Device wprt:PrintDeviceType wscn:ScanDeviceType</wsd:Types>`
	tests := []struct {
		name string
		b    []byte
		want WSDiscovery
	}{
		{"SDC provider", sdcHello(), WSDiscovery{Action: WSDHello, Types: TextOf("dpws:Device mdpws:MedicalDevice"), Class: WSDDevice | WSDMedical, Endpoint: TextOf(uuid),
			Scopes: TextOf("sdc.mds.pkp:1.2.840.10004.20701.1.1 sdc.cdc.type:///69985"), DeviceCode: [4]uint32{69985}, CodesLen: 1,
			Addresses: [4]Text{TextOf("https://192.0.2.7:51234/00000000000010008000000009fb0001")}, IPs: [4][16]byte{mapped(7)}, AddrLen: 1}},
		{"types of other words", wsd(wsd2005, "<wsd:Hello>"+epr("uuid:00000000-0000-1000-8000-0009fb000001")+"<wsd:Types>urn:ihe-pcd:device:patientmonitor\n</wsd:Types></wsd:Hello>"),
			WSDiscovery{Action: WSDHello, Types: TextOf("urn:ihe-pcd:device:patientmonitor"), Endpoint: TextOf("uuid:00000000-0000-1000-8000-0009fb000001")}},
		{"printer", wsd(wsd2005, match("Probe", epr(uuid)+printer+"<wsd:XAddrs>http://192.0.2.8:5357/print/jane http://printer.example:80/ http://user@192.0.2.9/ http://[2001:db8::1]:80/</wsd:XAddrs>")),
			WSDiscovery{Action: WSDProbeMatches, Matches: 1, Types: TextOf("wsdp:Device wprt:PrintDeviceType wscn:ScanDeviceType"), Class: WSDDevice | WSDPrinter | WSDScanner, Endpoint: TextOf(uuid),
				Addresses: [4]Text{TextOf("http://192.0.2.8:5357"), TextOf("http://[2001:db8::1]:80/")}, IPs: [4][16]byte{mapped(8), {0x20, 1, 0x0d, 0xb8, 15: 1}}, AddrLen: 2}},
		{"Windows", wsd(wsd2005, match("Resolve", epr(uuid)+`<wsd:Types xmlns:pub="http://schemas.microsoft.com/windows/pub/2005/07">pub:Computer</wsd:Types>`)),
			WSDiscovery{Action: WSDResolveMatches, Matches: 1, Types: TextOf("pub:Computer"), Class: WSDComputer, Endpoint: TextOf(uuid)}},
		{"camera", wsd(wsd2005, match("Probe", `<wsd:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</wsd:Types>`+
			"<wsd:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Jane onvif://www.onvif.org/location/ward7 onvif://www.onvif.org/hardware/IPC-1</wsd:Scopes>")),
			WSDiscovery{Action: WSDProbeMatches, Matches: 1, Types: TextOf("dn:NetworkVideoTransmitter"), Class: WSDCamera,
				Scopes: TextOf("onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/IPC-1")}},
		{"two matches: of others", wsd(wsd2009, "<wsd:ProbeMatches><wsd:ProbeMatch>"+epr(uuid)+"</wsd:ProbeMatch><wsd:ProbeMatch><wsd:Types>dpws:Device</wsd:Types></wsd:ProbeMatch></wsd:ProbeMatches>"),
			WSDiscovery{Action: WSDProbeMatches, Matches: 2, Endpoint: TextOf(uuid)}},
		{"question", wsd(wsd2009, "<wsd:Probe/>"), WSDiscovery{Action: WSDProbe}},
		{"bye", wsd(wsd2009, "<wsd:Bye>"+epr(uuid)+"</wsd:Bye>"), WSDiscovery{Action: WSDBye, Endpoint: TextOf(uuid)}},
		{"endpoints of other shapes", wsd(wsd2009, "<wsd:Resolve>"+epr("http://jane.example/")+"</wsd:Resolve>"), WSDiscovery{Action: WSDResolve}},
		{"prefix that stands for something else", wsd(wsd2009, `<wsd:Hello><wsd:Types xmlns:mdpws="http://example.com">mdpws:MedicalDevice</wsd:Types></wsd:Hello>`),
			WSDiscovery{Action: WSDHello, Types: TextOf("mdpws:MedicalDevice")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := WSDiscovery{Endpoint: TextOf("left over")}
			if !m.Decode(tt.b) || !isDiscovery(tt.b) {
				t.Fatal("not recognised")
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
	for name, doc := range map[string]string{"no discovery": string(wsd("http://example.com", "<wsd:Hello/>")), "not in the body": strings.ReplaceAll(string(sdcHello()), "Body", "Box"), "nothing": ""} {
		if new(WSDiscovery).Decode([]byte(doc)) {
			t.Errorf("%s: recognised", name)
		}
	}
}

// TestWSDiscoveryManyMatches: of more matches than are counted none is the only one.
func TestWSDiscoveryManyMatches(t *testing.T) {
	b := wsd(wsd2009, "<wsd:ProbeMatches>"+strings.Repeat("<wsd:ProbeMatch/>", 257)+epr(uuid)+"</wsd:ProbeMatches>")
	if m := new(WSDiscovery); !m.Decode(b) || m.Matches < 2 || !m.Endpoint.IsZero() {
		t.Errorf("%d matches, endpoint %q", m.Matches, m.Endpoint)
	}
}

// TestWSDiscoveryCut: of each beginning only whole fields come out.
func TestWSDiscoveryCut(t *testing.T) {
	b := sdcHello()
	var whole, m WSDiscovery
	whole.Decode(b)
	for i := range b {
		m.Decode(b[:i])
		if m.Endpoint != whole.Endpoint && !m.Endpoint.IsZero() || m.Types != whole.Types && !m.Types.IsZero() || m.Scopes != whole.Scopes && !m.Scopes.IsZero() || m.Addresses[0] != whole.Addresses[0] && !m.Addresses[0].IsZero() {
			t.Fatalf("%d bytes: %+v", i, m)
		}
	}
}

func TestWSDiscoveryAllocs(t *testing.T) {
	b, m := sdcHello(), new(WSDiscovery)
	noAllocs(t, func() { m.Decode(b) })
}

func FuzzWSDiscovery(f *testing.F) {
	f.Add(sdcHello())
	f.Add(wsd(wsd2005, "<wsd:Bye>"+epr(uuid)+"</wsd:Bye>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m WSDiscovery
		m.Decode(b)
		checkMessage(t, &m)
	})
}
