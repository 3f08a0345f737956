package dissect

import "slices"

// Protocol is an application protocol that is told by the first bytes of a
// message, on any port, or by its port where the bytes tell too little.
type Protocol uint8

// Protocols. The zero value is none of them.
const (
	_ Protocol = iota
	ProtocolTLS
	ProtocolHL7     // in its MLLP frame
	ProtocolHL7Bare // without a frame
	ProtocolDICOM
	ProtocolHTTP
	ProtocolWSDiscovery
	ProtocolIntelliVue
	ProtocolUnity
	ProtocolDRI
	ProtocolMindray
	ProtocolPHD
	ProtocolADDP
	ProtocolMoxa
	ProtocolLantronix
	ProtocolDHCPv4
	ProtocolMDNS
	ProtocolDNS
	ProtocolBCC
	ProtocolMedibus
	ProtocolASTM
	ProtocolPOCT1A
	ProtocolSerialASCII
	ProtocolAeroScout
)

// opening is one row of a table: what a message of a protocol begins with.
type opening struct {
	protocol Protocol
	port     uint16 // one side must have it, 0 for any
	lead     string // the first bytes
	// fits looks closer at what follows, as far as it goes; nil where the lead
	// is all there is. The dissector has the last word.
	fits func(b []byte) bool
}

// streamOpenings are tried in their order against the first bytes of a TCP
// direction, and of each later segment that may begin a message. None asks for
// a port.
var streamOpenings = []opening{
	{ProtocolTLS, 0, "\x16\x03", nil},
	{ProtocolTLS, 0, "\x14\x03", nil}, // may stand in front of a server's hello
	{ProtocolTLS, 0, "\x15\x03", nil}, // so may an alert
	{ProtocolHL7, 0, "\x0b", nil},
	{ProtocolHL7, 0, "\r", nil}, // line ends left behind a frame
	{ProtocolHL7, 0, "\n", nil},
	{ProtocolDICOM, 0, "\x01\x00", nil},
	{ProtocolDICOM, 0, "\x02\x00", nil},
	{ProtocolDICOM, 0, "\x03\x00\x00\x00\x00\x04\x00", nil}, // a rejection
	{ProtocolDICOM, 0, "\x04\x00", nil},
	{ProtocolHL7Bare, 0, "MSH", isHL7Start},
	{ProtocolHL7Bare, 0, "FHS", isHL7Start}, // a file of batches
	{ProtocolHL7Bare, 0, "BHS", isHL7Start},
	{ProtocolPHD, 0, "\xe2\x00", isPHD},
	{ProtocolPHD, 0, "\xe3\x00", isPHD},
	{ProtocolPHD, 0, "\xe7\x00", isPHD},
	{ProtocolDRI, 0, "\x7e", isDRI},
	{ProtocolBCC, 0, "\x01", isBCC},
	{ProtocolBCC, 0, "\x06\x01", isBCC}, // behind the acknowledgement of another
	{ProtocolBCC, 0, "\x15\x01", isBCC},
	{ProtocolMedibus, 0, "\x1b", isMedibus},
	{ProtocolMedibus, 0, "\x01", isMedibus},
	{ProtocolASTM, 0, "\x02", isASTM},
	{ProtocolASTM, 0, "\x05\x02", isASTM}, // behind the request for the line
	{ProtocolPOCT1A, 0, "<", isPOCT1A},
	{ProtocolPOCT1A, 0, "\xef\xbb\xbf", isPOCT1A},
	{ProtocolSerialASCII, 0, "", isSerialASCII},
	{ProtocolHTTP, 0, "", isHTTPStart},
}

// datagramOpenings are tried in their order against a UDP payload, first by
// shape on any port, then by port.
var datagramOpenings = []opening{
	{ProtocolWSDiscovery, 0, "<", isDiscovery},
	{ProtocolWSDiscovery, 0, "\xef\xbb\xbf<", isDiscovery}, // behind a byte order mark
	{ProtocolIntelliVue, 0, "\x00\x00", isConnectIndication},
	{ProtocolIntelliVue, 0, "\xe1\x00\x00\x02\x00", nil},
	{ProtocolIntelliVue, 0, "", opensIntelliVue},
	{ProtocolUnity, 0, "\x01\x04\x00\x00", isRWHAT},
	{ProtocolUnity, 0, "", isUnityMessage},
	{ProtocolADDP, 0, "DIGI", isADDP},
	{ProtocolADDP, 0, "DVKT", isADDP},
	{ProtocolADDP, 0, "DGDP", isADDP},
	{ProtocolAeroScout, 0, "\x7c\x83", isAeroScout},
	{ProtocolMindray, 4600, "", nil},
	{ProtocolHL7, 0, "\x0bMSH", nil},
	{ProtocolHL7Bare, 0, "MSH", isHL7Start},
	{ProtocolMoxa, moxaPort, "\x81", nil},
	{ProtocolLantronix, lantronixPort, "\x00\x00\x00", nil},
	{ProtocolDHCPv4, 67, "", nil},
	{ProtocolDHCPv4, 68, "", nil},
	{ProtocolDHCPv4, 4011, "", nil}, // PXE
	{ProtocolMDNS, 5353, "", nil},
	{ProtocolDNS, 53, "", nil},
	{ProtocolIntelliVue, 24105, "", nil}, // release and abort
}

// RecogniseStream returns the first protocol, from the row next of the table
// on, that b may be the beginning of, and the row behind it. A beginning that
// is too short to tell may be of any. Zero: there is none.
func RecogniseStream(b []byte, next int) (Protocol, int) {
	for ; next < len(streamOpenings); next++ {
		lead := streamOpenings[next].lead
		if len(lead) > 0 && len(b) > 0 && lead[0] != b[0] {
			continue // nearly all of them
		}
		n := min(len(lead), len(b))
		if fits := streamOpenings[next].fits; string(b[:n]) == lead[:n] && (fits == nil || fits(b)) {
			return streamOpenings[next].protocol, next + 1
		}
	}
	return 0, next
}

// Resync finds where in b, whose beginning is in the middle of a message, the
// next one begins that can be told there; 0 for nowhere.
func Resync(b []byte) int {
	if at := resyncHL7(b); at > 0 {
		return at
	}
	return resyncDRI(b)
}

// RecogniseDatagram does the same for a whole UDP payload.
func RecogniseDatagram(v *View, next int) (Protocol, int) {
	b := v.Payload
	for ; next < len(datagramOpenings); next++ {
		if port := datagramOpenings[next].port; port != 0 && port != v.SrcPort && port != v.DstPort {
			continue
		}
		lead := datagramOpenings[next].lead
		if n := len(lead); n > len(b) || string(b[:n]) != lead {
			continue
		}
		if fits := datagramOpenings[next].fits; fits == nil || fits(b) {
			return datagramOpenings[next].protocol, next + 1
		}
	}
	return 0, next
}

// Opening is a row of the tables, for people.
type Opening struct {
	Protocol Protocol
	Over     string // "tcp", "udp"
	Port     uint16 // one side must have it; 0 for any
	Lead     string // the first bytes
	Shape    bool   // what follows is looked at before the dissector is asked
}

// Openings are the rows of both tables, in their order.
func Openings() (all []Opening) {
	for _, o := range streamOpenings {
		all = append(all, Opening{o.protocol, "tcp", o.port, o.lead, o.fits != nil})
	}
	for _, o := range datagramOpenings {
		all = append(all, Opening{o.protocol, "udp", o.port, o.lead, o.fits != nil})
	}
	return all
}

// Protocols are those of the tables, each once, in their order.
func Protocols() (all []Protocol) {
	for _, o := range Openings() {
		if !slices.Contains(all, o.Protocol) {
			all = append(all, o.Protocol)
		}
	}
	return all
}

// Window is how much of a message is looked at, in bytes (protocols.md §1.3);
// 0 where the dissector keeps a window of its own.
func (p Protocol) Window() int {
	switch p {
	case ProtocolTLS, ProtocolHL7, ProtocolHL7Bare, ProtocolDICOM, ProtocolHTTP, ProtocolDHCPv4, ProtocolMDNS, ProtocolDNS,
		ProtocolBCC, ProtocolMedibus, ProtocolASTM, ProtocolPOCT1A, ProtocolSerialASCII:
		return 0
	case ProtocolIntelliVue, ProtocolDRI, ProtocolPHD:
		return 0
	case ProtocolWSDiscovery:
		return 8 << 10
	}
	return 1 << 10
}

// String names the protocol.
func (p Protocol) String() string {
	switch p {
	case ProtocolTLS:
		return "TLS"
	case ProtocolHL7:
		return "HL7 over MLLP"
	case ProtocolHL7Bare:
		return "HL7 without a frame"
	case ProtocolDICOM:
		return "DICOM"
	case ProtocolHTTP:
		return "HTTP"
	case ProtocolWSDiscovery:
		return "WS-Discovery"
	case ProtocolIntelliVue:
		return "IntelliVue"
	case ProtocolUnity:
		return "GE Unity"
	case ProtocolDRI:
		return "GE/Datex DRI"
	case ProtocolMindray:
		return "Mindray indication"
	case ProtocolPHD:
		return "IEEE 11073-20601"
	case ProtocolADDP:
		return "Digi ADDP"
	case ProtocolMoxa:
		return "Moxa discovery"
	case ProtocolLantronix:
		return "Lantronix discovery"
	case ProtocolDHCPv4:
		return "DHCPv4"
	case ProtocolMDNS:
		return "mDNS"
	case ProtocolDNS:
		return "DNS"
	case ProtocolBCC:
		return "B. Braun BCC"
	case ProtocolMedibus:
		return "MEDIBUS"
	case ProtocolASTM:
		return "ASTM E1381"
	case ProtocolPOCT1A:
		return "POCT1-A"
	case ProtocolSerialASCII:
		return "serial ASCII lines"
	case ProtocolAeroScout:
		return "AeroScout"
	}
	return "none"
}

// isHTTPStart reports letters as a method or HTTP/1.x begins with; M-SEARCH has
// a hyphen.
func isHTTPStart(b []byte) bool {
	upper := func(i int) bool { return i >= len(b) || b[i] >= 'A' && b[i] <= 'Z' }
	return upper(0) && (upper(1) || b[1] == '-') && upper(2)
}

// opensIntelliVue reports the opening of a data export association, and the
// answers to it.
func opensIntelliVue(b []byte) bool {
	switch associationKind(b) {
	case IntelliVueAssociateRequest, IntelliVueAssociateAccept, IntelliVueAssociateRefuse:
		return true
	}
	return false
}
