package dissect

import (
	"bytes"
	"net/netip"
	"strings"
)

// WSDiscovery is what one WS-Discovery message says of a device, by which
// medical devices (ISO/IEEE 11073 SDC), cameras (ONVIF), printers and Windows
// are found.
//
// phi: never read: scopes of a location, of operators, ensembles, workflows
// and means, names and places of cameras, and every other scope that is not
// named below; paths of addresses that may hold a name; message ids.
type WSDiscovery struct {
	Action  WSDAction
	Matches uint8 // devices in an answer; only the first is read

	Types      Text      // as they were written, prefixes and all
	Class      WSDClass  // what the types mean
	Endpoint   Text      // EPR address, urn:uuid:…
	Scopes     Text      // the allowed ones, with spaces between them
	DeviceCode [4]uint32 // sdc.cdc.type: codes of ISO/IEEE 11073-10101
	CodesLen   uint8
	Addresses  [4]Text     // XAddrs: scheme, address and port
	IPs        [4][16]byte // of the addresses, IPv4 mapped
	AddrLen    uint8
}

// WSDAction is what a message is for.
type WSDAction uint8

// Actions. The zero value is none of them.
const (
	_ WSDAction = iota
	WSDHello
	WSDBye
	WSDProbe
	WSDProbeMatches
	WSDResolve
	WSDResolveMatches
)

// WSDClass is a set of what a device says that it is.
type WSDClass uint8

// Classes.
const (
	WSDDevice   WSDClass = 1 << iota // of the devices profile (DPWS)
	WSDMedical                       // an SDC provider
	WSDCamera                        // ONVIF
	WSDComputer                      // Windows
	WSDPrinter
	WSDScanner
)

// wsdOpening is how far into a datagram the name of the protocol stands at
// most: each message declares the namespace at its root or at its body.
const wsdOpening = 2 << 10

// isDiscovery reports whether XML speaks of WS-Discovery.
func isDiscovery(b []byte) bool {
	b = b[:min(len(b), wsdOpening)]
	return bytes.Contains(b, []byte("/ws/2005/04/discovery")) || bytes.Contains(b, []byte("/ns/discovery/2009/01"))
}

// Decode reads a UDP payload. It is false where the body holds no message of
// WS-Discovery; a message that is cut short holds what stood there in full.
func (m *WSDiscovery) Decode(b []byte) bool {
	*m = WSDiscovery{}
	r := wsdReader{xml: xmlScanner{b: b}}
	for kind := r.xml.next(); kind != 0; kind = r.xml.next() {
		switch kind {
		case xmlStart:
			r.start(m)
		case xmlText:
			r.text = r.xml.text
		case xmlEnd:
			r.end(m)
		}
	}
	return m.Action != 0
}

// wsdReader walks through one message.
type wsdReader struct {
	xml    xmlScanner
	spaces xmlSpaces
	open   []byte // local name of the tag before, if it was a start
	text   []byte // since then
	refers bool   // within an endpoint reference
}

// start takes a start tag.
func (r *wsdReader) start(m *WSDiscovery) {
	r.spaces.declare(r.xml.attrs)
	space, local := r.spaces.of(r.xml.name)
	switch {
	case m.Action == 0:
		if space == spaceDiscovery && string(r.open) == "Body" {
			m.Action = wsdAction(local)
		}
	case string(local) == "ProbeMatch", string(local) == "ResolveMatch":
		m.Matches = min(m.Matches, 254) + 1
	case string(local) == "EndpointReference":
		r.refers = true
	}
	r.open, r.text = local, nil
}

// end takes an end tag: with it the text of an element is complete.
func (r *wsdReader) end(m *WSDiscovery) {
	_, local := xmlName(r.xml.name)
	if m.Action != 0 && m.Matches <= 1 && len(r.text) > 0 && bytes.Equal(local, r.open) {
		switch {
		case string(local) == "Types":
			r.types(m)
		case string(local) == "Scopes":
			m.scopes(r.text)
		case string(local) == "XAddrs":
			m.addresses(r.text)
		case string(local) == "Address" && r.refers && isEndpoint(trim(r.text)):
			m.Endpoint.set(r.text)
		}
	}
	if string(local) == "EndpointReference" {
		r.refers = false
	}
	r.open, r.text = nil, nil
}

func wsdAction(local []byte) WSDAction {
	switch string(local) {
	case "Hello":
		return WSDHello
	case "Bye":
		return WSDBye
	case "Probe":
		return WSDProbe
	case "ProbeMatches":
		return WSDProbeMatches
	case "Resolve":
		return WSDResolve
	case "ResolveMatches":
		return WSDResolveMatches
	}
	return 0
}

// word takes the first of the words that white space separates.
func word(b []byte) (first, rest []byte) {
	b = trim(b)
	n := 0
	for n < len(b) && b[n] > ' ' {
		n++
	}
	return b[:n], b[n:]
}

// types keeps the list of qualified names, and what they mean.
func (r *wsdReader) types(m *WSDiscovery) {
	for t, rest := word(r.text); len(t) > 0; t, rest = word(rest) {
		if !isWords(t, ".:_-/") {
			continue
		}
		m.Types.add(t)
		space, local := r.spaces.of(t)
		m.Class |= wsdClass(space, local)
	}
}

func wsdClass(space xmlSpace, local []byte) WSDClass {
	switch name := string(local); {
	case space == spaceDPWS && name == "Device":
		return WSDDevice
	case space == spaceMedical && name == "MedicalDevice":
		return WSDMedical
	case space == spaceCamera && (name == "NetworkVideoTransmitter" || name == "Device"):
		return WSDCamera
	case space == spaceComputer && name == "Computer":
		return WSDComputer
	case space == spacePrint && name == "PrintDeviceType":
		return WSDPrinter
	case space == spaceScan && name == "ScanDeviceType":
		return WSDScanner
	}
	return 0
}

// The scopes that may be kept: the purpose of an SDC participant's key, the
// type of an SDC device, hardware and kind of a camera.
const (
	scopePurpose  = "sdc.mds.pkp:"
	scopeType     = "sdc.cdc.type:"
	scopeHardware = "onvif://www.onvif.org/hardware/"
	scopeKind     = "onvif://www.onvif.org/type/"
	scopeProfile  = "onvif://www.onvif.org/Profile/"
)

// scopes keeps those of the allow-list.
func (m *WSDiscovery) scopes(text []byte) {
	for s, rest := word(text); len(s) > 0; s, rest = word(rest) {
		if !isWords(s, ".:_-/%+") {
			continue
		}
		for _, allowed := range [...]string{scopePurpose, scopeType, scopeHardware, scopeKind, scopeProfile} {
			if bytes.HasPrefix(s, []byte(allowed)) {
				m.Scopes.add(s)
			}
		}
		if bytes.HasPrefix(s, []byte(scopeType)) {
			m.code(s[bytes.LastIndexByte(s, '/')+1:])
		}
	}
}

// code keeps the code of a device type.
func (m *WSDiscovery) code(digits []byte) {
	if n, ok := decimal(digits); ok && int(m.CodesLen) < len(m.DeviceCode) {
		m.DeviceCode[m.CodesLen] = n
		m.CodesLen++
	}
}

// decimal reads up to nine digits.
func decimal(b []byte) (n uint32, ok bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}

// addresses keeps where the device serves: scheme, IP address and port, and a
// path that names nobody. Host names are left out.
func (m *WSDiscovery) addresses(text []byte) {
	for a, rest := word(text); len(a) > 0 && int(m.AddrLen) < len(m.Addresses); a, rest = word(rest) {
		scheme, rest, ok := bytes.Cut(a, []byte("://"))
		if !ok || string(scheme) != "http" && string(scheme) != "https" {
			continue
		}
		n := bytes.IndexByte(rest, '/')
		if n < 0 {
			n = len(rest)
		}
		ip, ok := hostIP(rest[:n])
		if !ok {
			continue
		}
		keep := len(scheme) + len("://") + n
		if isNamelessPath(rest[n:]) {
			keep = len(a)
		}
		m.Addresses[m.AddrLen].set(a[:keep])
		m.IPs[m.AddrLen] = ip
		m.AddrLen++
	}
}

// hostIP is the IP address of host and port; of host names there is none.
func hostIP(host []byte) (ip [16]byte, ok bool) {
	if len(host) > 0 && host[0] == '[' {
		end := bytes.IndexByte(host, ']')
		if end < 0 || end > 46 || !isPort(host[end+1:]) {
			return ip, false
		}
		a, err := netip.ParseAddr(string(host[1:end]))
		return a.As16(), err == nil && a.Zone() == ""
	}
	host, port, _ := bytes.Cut(host, []byte{':'})
	ip[10], ip[11] = 0xff, 0xff
	for i := range 4 {
		part, rest, _ := bytes.Cut(host, []byte{'.'})
		n, ok := decimal(part)
		if !ok || n > 255 {
			return ip, false
		}
		ip[12+i], host = byte(n), rest
	}
	return ip, len(host) == 0 && len(bytes.Trim(port, "0123456789")) == 0
}

// isPort reports nothing, or a colon and digits.
func isPort(b []byte) bool {
	return len(b) == 0 || b[0] == ':' && len(bytes.Trim(b[1:], "0123456789")) == 0
}

// isNamelessPath reports a path that is empty, a UUID, or a camera's own.
func isNamelessPath(path []byte) bool {
	switch string(path) {
	case "", "/", "/onvif/device_service":
		return true
	}
	return isUUID(bytes.Trim(path, "/"))
}

// isEndpoint reports a URN of a UUID or of an OID.
func isEndpoint(b []byte) bool {
	for _, scheme := range [...]string{"urn:uuid:", "uuid:"} {
		if after, ok := bytes.CutPrefix(b, []byte(scheme)); ok {
			return isUUID(after)
		}
	}
	after, ok := bytes.CutPrefix(b, []byte("urn:oid:"))
	return ok && len(after) > 0 && len(bytes.Trim(after, "0123456789.")) == 0
}

// isUUID reports 32 hexadecimal digits, with hyphens between them or not.
func isUUID(b []byte) bool {
	digits := 0
	for _, c := range b {
		switch {
		case isHex(c):
			digits++
		case c != '-':
			return false
		}
	}
	return digits == 32
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// isWords reports letters, digits and the given characters alone.
func isWords(b []byte, more string) bool {
	for _, c := range b {
		if !isAlnum(c) && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}

// add puts another word behind those of t.
func (t *Text) add(word []byte) {
	if t.n > 0 && int(t.n) < len(t.b) {
		t.b[t.n] = ' '
		t.n++
	}
	t.n += uint8(sanitise(t.b[t.n:], word))
}
