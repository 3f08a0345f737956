package fact

import (
	"regexp"
	"strings"
)

// Value is the text of a fact. It can only be made by New, so what it holds
// has passed the shape of its kind.
type Value struct {
	text     string
	personal bool
	cut      bool
}

// String is the text, or "" where it was kept back.
func (v Value) String() string { return v.text }

// Personal reports that the name looked like a person's and was not kept.
func (v Value) Personal() bool { return v.personal }

// Cut reports that a bed or room label was taken out of the name: what stands
// is not all that was said.
func (v Value) Cut() bool { return v.cut }

// Most characters kept of a name and of a banner (design: 64 and 128).
const (
	maxName   = 64
	maxBanner = 128
)

// shape is what a kind's text is reduced to.
type shape uint8

const (
	shapeName   shape = iota + 1 // a host or instance name: personal-name tests, bed labels cut
	shapeID                      // an instance's id: as a name, 128 characters
	shapeBanner                  // a product's own words: 128 characters
	shapeToken                   // hashes, UIDs, codes, addresses: [A-Za-z0-9._:,/^+ -] only, 64
	shapeDomain                  // a name that a device asks for: 255 characters, without the labels of persons
)

// shapeOf tells the shape of every kind; a kind it does not know cannot be made.
func shapeOf(k Kind) shape {
	switch k {
	case DHCPHostname, DHCPFQDN, MDNSName, LLDPSysName, HL7App, HL7Facility, DICOMAETitle, DICOMCalledAs, FHIRDescription, ASTMSender, POCTName:
		return shapeName
	case HL7Equipment, HL7Device, POCTDeviceID:
		return shapeID
	case DHCPVendorClass, MDNSPTR, MDNSModel, MDNSMaker, MDNSFW, LLDPSysDescr, LLDPMaker, LLDPModel, LLDPSerial, LLDPFW,
		HTTPUserAgent, HTTPServer, OUIVendor, IVModel, IVMaker, IVSerial, IVFW, DICOMImplVer, TLSALPN,
		HL7Profile, HL7DevType, HL7UDI, HL7Lot, HL7Serial, PHDMaker, PHDModel, PHDSerial, PHDFW, ADDPProduct, ADDPFW, WSDTypes, WSDScopes, WSDAddress, DPWSMaker, DPWSModel, DPWSModelNumber, DPWSFW, DPWSSerial, SDCLot, SDCUDI, FHIRSoftware, FHIRSoftwareVer, BCCModel, BCCNumber, BCCTypeNumber, BCCSerial, MedibusModel, ASTMVersion, ASTMSerial,
		POCTVendor, POCTModel, POCTSerial, POCTMaker, POCTHardware, POCTSoftware, AsenaSerial, AsenaProtocol, HL7SoftMaker, HL7SoftVersion, HL7SoftProduct, HL7SoftBinary:
		return shapeBanner
	case DHCPPRL, DHCPServer, DNSServer, LLDPChassisMAC, LLDPCaps, TLSJA3, TLSJA4, HL7Type, HL7Version, HL7Receives, HL7OBX3,
		UnityRWHAT, UnityServices, UnitySends, UnityClient, DRIRecord, DRILevel, DRIDevice, DRIMAC, MindrayIndicates, MindraySends, PHDSystem, PHDConfig, PHDProfile, PHDReports, PHDManager,
		RTLSReader, RTLSEngine, SerialServer, ADDPPorts, MoxaModel, IVMode, IVSends, IVInUse, WSDDevice, WSDCode, WSDEndpoint, SDCType, SDCMode, SDCActivation, SDCInUse, WSDLeaves,
		BCCVersion, BCCState, BCCClient, MedibusID, MedibusVersion, MedibusDevice, MedibusClient, MedibusState, ASTMStandard, ASTMSends,
		POCTSends, POCTState, AS50Device, PB840ID, MasimoSerial, FHIRClient, FHIRServer, FHIRVersion, DICOMWebClient, DICOMWebServer, HL7HTTP, HL7SoftDate, HL7EquState, HL7PCD, HL7PumpState, HL7Alarm,
		DICOMImplUID, DICOMProposes, DICOMAccepts, DICOMTransfers, DICOMReceives, DICOMStores, DICOMPerforms, DICOMRejects, IVType, IVClient, IVSystem, NDPRouter, Serves, Uses, MulticastTo:
		return shapeToken
	case TLSSNI, DHCPMUD:
		return shapeDomain
	}
	return 0
}

// Known reports whether facts of the kind can be made.
func (k Kind) Known() bool { return shapeOf(k) != 0 }

// New makes the value of a kind from text read off the wire. It reports false
// where nothing of it may be kept: an unknown kind, or an empty text.
func New(k Kind, text string) (Value, bool) {
	switch shapeOf(k) {
	case shapeName, shapeID:
		whole := clean(text, maxName)
		if shapeOf(k) == shapeID {
			whole = clean(text, maxBanner)
		}
		s := cutBed(whole)
		if personal(s) || lastFirst(strings.TrimSpace(text)) { // the caret is only in the text
			return Value{personal: true}, true
		}
		return without(s, whole)
	case shapeBanner:
		s := clean(text, maxBanner)
		if email(s) {
			return Value{personal: true}, true
		}
		return Value{text: s}, s != ""
	case shapeToken:
		s := strings.Map(tokenRune, clean(text, maxBanner))
		form := formOf(k)
		if s == "" || form != nil && !form.MatchString(s) {
			return Value{}, false
		}
		return Value{text: s}, true
	case shapeDomain:
		whole := clean(text, 255)
		return without(impersonal(whole), whole)
	}
	return Value{}, false
}

// formOf is what the code of a kind looks like, nil where its dissector writes
// it. In a message that lost a delimiter, a field of a person stands there.
func formOf(k Kind) *regexp.Regexp {
	switch k {
	case HL7Type, HL7Receives:
		return messageType
	case HL7Version:
		return version
	case ASTMStandard:
		return standard
	case PB840ID:
		return ventilator
	}
	return nil
}

var (
	messageType = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}(_(([A-Z][0-9][0-9A-Z]|PC[1-9A-L]|Z[0-9A-Z]{2})(_[A-Z0-9_]{0,7})?)?)?$`) // HL7 table 0076, 0003, 0354
	version     = regexp.MustCompile(`^[1-9](\.[0-9]{1,2}){0,2}$`)
	standard    = regexp.MustCompile(`^([A-Z]{1,3} ?)?[0-9.]{1,5}(-[A-Z]?[0-9]{0,2})?$`)
	ventilator  = regexp.MustCompile(`^[0-9]{3} [0-9A-Z]*[0-9]$`) // type and serial number
)

// impersonal is what follows the labels of a domain name that name a person; one
// label alone is no domain.
func impersonal(name string) string {
	whole := name
	for rest := name; rest != ""; {
		var label string
		if label, rest, _ = strings.Cut(rest, "."); personal(label) {
			name = rest
		}
	}
	if name != whole && !strings.Contains(name, ".") {
		return ""
	}
	return name
}

// without is the value of a name that was whole before a label was cut from it.
func without(s, whole string) (Value, bool) {
	if s == "" {
		return Value{}, false
	}
	return Value{text: s, cut: s != whole}, true
}

func tokenRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._:,/^+ -", r):
		return r
	}
	return '_'
}

// clean keeps printable ASCII; runs of white space become one space, every
// other character and those that shells, logs and SIEM formats trip over
// become '_'. At most max characters; ends are trimmed.
func clean(s string, max int) string {
	var b strings.Builder
	space := false
	for i := 0; i < len(s) && b.Len() < max; i++ {
		c := s[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
			if b.Len() == max {
				break
			}
		}
		if c < 0x20 || c > 0x7e || strings.IndexByte("\"^|`\\<>", c) >= 0 {
			c = '_'
		}
		b.WriteByte(c)
	}
	return strings.TrimRight(b.String(), " ")
}
