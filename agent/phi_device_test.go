package agent

import (
	"bytes"
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
		"</a:EndpointReference><d:Types>p:Device x:" + witness + "</d:Types><d:Scopes>" + scopes + "</d:Scopes><d:XAddrs>http://" + pumpIP + ":80/" + k.next() + " http://" + k.next() + ".example/</d:XAddrs>" + fill("MetadataVersion x") + "</d:Hello></Body></Envelope>"
	k.datagrams(3702, hello)
	k.datagrams(9, hello)
	person := fill("Givenname Middlename Familyname Birthname Title Sex PatientType DateOfBirth Height Weight Race Identification")
	metadata := "<Envelope" + spaces + "><Body><p:ThisModel><p:Manufacturer>" + witness + "</p:Manufacturer>" + fill("ManufacturerUrl ModelUrl PresentationUrl SerialNumber") + "</p:ThisModel><p:ThisDevice>" + fill("FriendlyName Manufacturer") +
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
