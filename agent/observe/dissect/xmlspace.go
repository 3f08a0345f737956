package dissect

import "bytes"

// xmlSpace is an XML namespace that means something here; zero is any other.
type xmlSpace uint8

const (
	_ xmlSpace = iota
	spaceDiscovery
	spaceDPWS
	spaceMedical // SDC: MDPWS
	spaceCamera  // ONVIF
	spaceComputer
	spacePrint
	spaceScan
)

// spaceOf knows the namespace of a URI. The older discovery and devices
// profile are those of cameras, printers and Windows.
func spaceOf(uri []byte) xmlSpace {
	switch string(uri) {
	case "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01", "http://schemas.xmlsoap.org/ws/2005/04/discovery":
		return spaceDiscovery
	case "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01", "http://schemas.xmlsoap.org/ws/2006/02/devprof":
		return spaceDPWS
	case "http://standards.ieee.org/downloads/11073/11073-20702-2016":
		return spaceMedical
	case "http://www.onvif.org/ver10/network/wsdl", "http://www.onvif.org/ver10/device/wsdl":
		return spaceCamera
	case "http://schemas.microsoft.com/windows/pub/2005/07":
		return spaceComputer
	case "http://schemas.microsoft.com/windows/2006/08/wdp/print":
		return spacePrint
	case "http://schemas.microsoft.com/windows/2006/08/wdp/scan":
		return spaceScan
	}
	return 0
}

// xmlSpaces are the prefixes that a document has declared so far; the last
// declaration of one counts, wherever it stood.
type xmlSpaces struct {
	prefixes [16][]byte
	spaces   [16]xmlSpace
	n        int
}

// declare takes the declarations of a start tag.
func (x *xmlSpaces) declare(attrs []byte) {
	for {
		name, value, rest, ok := xmlAttribute(attrs)
		if !ok {
			return
		}
		attrs = rest
		prefix, local := xmlName(name)
		switch {
		case string(prefix) == "xmlns":
			x.bind(local, spaceOf(value))
		case len(prefix) == 0 && string(local) == "xmlns":
			x.bind(nil, spaceOf(value))
		}
	}
}

func (x *xmlSpaces) bind(prefix []byte, space xmlSpace) {
	for i := range x.n {
		if bytes.Equal(x.prefixes[i], prefix) {
			x.spaces[i] = space
			return
		}
	}
	if x.n < len(x.prefixes) && space != 0 {
		x.prefixes[x.n], x.spaces[x.n] = prefix, space
		x.n++
	}
}

// of is the namespace of a qualified name, and its local part.
func (x *xmlSpaces) of(name []byte) (xmlSpace, []byte) {
	prefix, local := xmlName(name)
	for i := range x.n {
		if bytes.Equal(x.prefixes[i], prefix) {
			return x.spaces[i], local
		}
	}
	return 0, local
}
