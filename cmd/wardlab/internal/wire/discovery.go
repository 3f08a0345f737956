package wire

import (
	"fmt"
	"net/netip"
)

// DiscoveryPort is WS-Discovery's.
const DiscoveryPort = 3702

// DiscoveryGroup is its IPv4 group.
func DiscoveryGroup() netip.Addr { return netip.AddrFrom4([4]byte{239, 255, 255, 250}) }

// SDCProvider is what a medical device says of itself in ISO/IEEE 11073 SDC
// (protocols.md 2.4).
type SDCProvider struct {
	UUID          string
	Code          int    // of its type, ISO/IEEE 11073-10101
	Address       string // where it serves, http://…
	Bed, Friendly string // place and name that people gave it
	Maker         string
	Firmware      string
	Serial        string
}

const (
	soap = `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"`
	dpws = ` xmlns:p="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"`
)

// Hello is the datagram by which it joins the network.
func (p SDCProvider) Hello(message string) []byte {
	return fmt.Appendf(nil, soap+dpws+` xmlns:d="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" xmlns:m="http://standards.ieee.org/downloads/11073/11073-20702-2016">`+
		`<s:Header><a:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Hello</a:Action><a:MessageID>urn:uuid:%s</a:MessageID>`+
		`<a:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</a:To></s:Header>`+
		`<s:Body><d:Hello><a:EndpointReference><a:Address>urn:uuid:%s</a:Address></a:EndpointReference><d:Types>p:Device m:MedicalDevice</d:Types>`+
		`<d:Scopes>sdc.mds.pkp:1.2.840.10004.20701.1.1 sdc.cdc.type:///%d sdc.ctxt.loc:/sdc.ctxt.loc.detail/%s?bed=%s</d:Scopes>`+
		`<d:XAddrs>%s</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body></s:Envelope>`,
		message, p.UUID, p.Code, p.Bed, p.Bed, p.Address)
}

// Metadata answers a WS-Transfer Get with the metadata of the devices profile,
// as an HTTP response in clear text.
func (p SDCProvider) Metadata() []byte {
	body := fmt.Sprintf(soap+dpws+`><s:Body><x:Metadata xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/mex">`+
		`<x:MetadataSection><p:ThisModel><p:Manufacturer>%s</p:Manufacturer></p:ThisModel></x:MetadataSection>`+
		`<x:MetadataSection><p:ThisDevice><p:FriendlyName>%s</p:FriendlyName><p:FirmwareVersion>%s</p:FirmwareVersion><p:SerialNumber>%s</p:SerialNumber></p:ThisDevice></x:MetadataSection>`+
		`</x:Metadata></s:Body></s:Envelope>`, p.Maker, p.Friendly, p.Firmware, p.Serial)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// SDCReport tells a subscriber at host, in clear text, that a patient is
// associated, and who (BICEPS, ISO/IEEE 11073-10207).
func (p SDCProvider) SDCReport(host, family, given string) []byte {
	body := fmt.Sprintf(soap+` xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:m="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:n="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant">`+
		`<s:Header><a:Action>http://standards.ieee.org/downloads/11073/11073-20701-2018/ContextService/EpisodicContextReport</a:Action><a:From><a:Address>urn:uuid:%s</a:Address></a:From></s:Header>`+
		`<s:Body><m:EpisodicContextReport MdibVersion="7"><m:ReportPart><m:ContextState i:type="n:PatientContextState" ContextAssociation="Assoc"><n:CoreData><n:Givenname>%s</n:Givenname><n:Familyname>%s</n:Familyname></n:CoreData></m:ContextState></m:ReportPart></m:EpisodicContextReport></s:Body></s:Envelope>`,
		p.UUID, given, family)
	return fmt.Appendf(nil, "POST /reports HTTP/1.1\r\nHost: %s\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", host, len(body), body)
}

// SDCTaken is the subscriber's answer.
func SDCTaken() []byte { return []byte("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n") }

// SDCGet asks a provider at host for its metadata.
func SDCGet(host, uuid string) []byte {
	body := soap + `><s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action><a:To>urn:uuid:` + uuid + `</a:To></s:Header><s:Body/></s:Envelope>`
	return fmt.Appendf(nil, "POST /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", uuid, host, len(body), body)
}
