package dissect

import "bytes"

// SDC is what a medical device (ISO/IEEE 11073 SDC) says of itself where its
// metadata (WS-Transfer, ThisModel and ThisDevice) or its description and
// states (BICEPS) go over the network in clear text.
//
// phi: never read: the friendly name, which may be a room or a person; contexts
// of patients, operators and places but for whether a patient's is associated;
// metrics, waveforms, alerts, operations, and every element not named below.
type SDC struct {
	Manufacturer Text
	Model        Text
	ModelNumber  Text
	Firmware     Text
	Serial       Text
	Lot          Text
	UDI          Text // device identifier

	Codes    [4]uint32 // of each MDS, by ISO/IEEE 11073-10101
	CodesLen uint8

	Report     bool // sent by the device on its own account
	Mode       SDCMode
	Activation SDCActivation
	Patient    SDCPatient
}

// SDCMode is the operating mode of an MDS.
type SDCMode uint8

// Modes. The zero value is none of them.
const (
	_ SDCMode = iota
	SDCNormal
	SDCDemo
	SDCService
	SDCMaintenance
)

// String names the mode; "" for none.
func (m SDCMode) String() string {
	switch m {
	case SDCNormal:
		return "normal"
	case SDCDemo:
		return "demo"
	case SDCService:
		return "service"
	case SDCMaintenance:
		return "maintenance"
	}
	return ""
}

// SDCActivation is how far the device is switched on.
type SDCActivation uint8

// Activations. The zero value is none of them.
const (
	_ SDCActivation = iota
	SDCOn
	SDCNotReady
	SDCStandBy
	SDCOff
	SDCShutdown
	SDCFailure
)

// String names the activation; "" for none.
func (a SDCActivation) String() string {
	switch a {
	case SDCOn:
		return "on"
	case SDCNotReady:
		return "not-ready"
	case SDCStandBy:
		return "stand-by"
	case SDCOff:
		return "off"
	case SDCShutdown:
		return "shut-down"
	case SDCFailure:
		return "failure"
	}
	return ""
}

// SDCPatient says whether the device is in use for a patient, whoever it is.
type SDCPatient uint8

// Associations. The zero value is none of them.
const (
	_ SDCPatient = iota
	SDCNotAssociated
	SDCAssociated
)

// IsZero reports whether nothing was read.
func (m *SDC) IsZero() bool { return *m == SDC{} }

// sdcWindow is how much of a document is looked at, in bytes: metadata are
// shorter, and a description begins with its MDS.
const sdcWindow = 16 << 10

// DecodeXML reads a SOAP body, or the beginning of it. It is false where the
// document says nothing of the kind.
func (m *SDC) DecodeXML(b []byte) bool {
	*m = SDC{}
	b = b[:min(len(b), sdcWindow)]
	if !isDevicesProfile(b) {
		return false
	}
	r := sdcReader{xml: xmlScanner{b: b}}
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
	return !m.IsZero()
}

// isDevicesProfile reports whether XML begins by naming the devices profile,
// of either age, or the participant model of BICEPS.
func isDevicesProfile(b []byte) bool {
	b = b[:min(len(b), wsdOpening)]
	return bytes.Contains(b, []byte("/ns/dpws/2009/01")) || bytes.Contains(b, []byte("/ws/2006/02/devprof")) || bytes.Contains(b, []byte("11073-10207"))
}

// sdcSection is an element whose children are read.
type sdcSection uint8

const (
	_ sdcSection = iota
	sdcThisModel
	sdcThisDevice
	sdcMetaData
	sdcMds
)

func sdcSectionOf(local []byte) sdcSection {
	switch string(local) {
	case "ThisModel":
		return sdcThisModel
	case "ThisDevice":
		return sdcThisDevice
	case "MetaData":
		return sdcMetaData
	case "Mds":
		return sdcMds
	}
	return 0
}

// sdcReader walks through one document.
type sdcReader struct {
	xml   xmlScanner
	depth int
	// The section that is open, and how deep its children are.
	section  sdcSection
	children int
	udi      bool   // within the Udi of a MetaData
	open     []byte // local name of the tag before, if it was a start
	text     []byte // since then
}

func (r *sdcReader) start(m *SDC) {
	_, local := xmlName(r.xml.name)
	r.depth++
	r.open, r.text = local, nil
	m.Report = m.Report || bytes.HasSuffix(local, []byte("Report"))
	switch {
	case sdcSectionOf(local) != 0:
		r.section, r.children = sdcSectionOf(local), r.depth+1
	case r.section == sdcMds && r.depth == r.children && string(local) == "Type":
		r.mdsType(m)
	case r.section == sdcMetaData && r.depth == r.children:
		r.udi = string(local) == "Udi"
	case string(local) == "State" || string(local) == "ContextState":
		r.state(m)
	}
}

func (r *sdcReader) end(m *SDC) {
	_, local := xmlName(r.xml.name)
	if len(r.text) > 0 && bytes.Equal(local, r.open) {
		r.value(m, local)
	}
	r.open, r.text = nil, nil
	if r.depth--; r.depth < r.children-1 {
		r.section, r.children = 0, 0
	}
}

// value keeps the text of an element that is a child of an open section.
func (r *sdcReader) value(m *SDC, local []byte) {
	if r.section == sdcMetaData && r.udi && r.depth == r.children+1 {
		if string(local) == "DeviceIdentifier" {
			m.UDI.setXMLOnce(r.text)
		}
		return
	}
	if r.section == 0 || r.depth != r.children {
		return
	}
	switch name := string(local); {
	case r.section == sdcThisDevice && name == "FirmwareVersion":
		m.Firmware.setXMLOnce(r.text)
	case r.section == sdcMetaData && name == "LotNumber":
		m.Lot.setXMLOnce(r.text)
	case r.section != sdcMds && name == "SerialNumber" && r.section != sdcThisModel:
		m.Serial.setXMLOnce(r.text)
	case r.section != sdcThisModel && r.section != sdcMetaData:
	case name == "Manufacturer":
		m.Manufacturer.setXMLOnce(r.text)
	case name == "ModelName":
		m.Model.setXMLOnce(r.text)
	case name == "ModelNumber":
		m.ModelNumber.setXMLOnce(r.text)
	}
}

func (t *Text) setXMLOnce(src []byte) {
	if t.n == 0 {
		t.setXML(src)
	}
}

// mdcCodes is the coding system of ISO/IEEE 11073-10101, which is meant where
// none is named.
const mdcCodes = "urn:oid:1.2.840.10004.1.1.1.0.0.1"

// mdsType keeps the type of an MDS.
func (r *sdcReader) mdsType(m *SDC) {
	if system := r.xml.attribute("CodingSystem"); system != nil && string(system) != mdcCodes {
		return
	}
	if code, ok := decimal(r.xml.attribute("Code")); ok && int(m.CodesLen) < len(m.Codes) {
		m.Codes[m.CodesLen] = code
		m.CodesLen++
	}
}

// state keeps what an MDS and a patient's context say in closed words.
func (r *sdcReader) state(m *SDC) {
	_, kind := xmlName(r.xml.attribute("type"))
	switch string(kind) {
	case "MdsState":
		switch string(r.xml.attribute("OperatingMode")) {
		case "Nml":
			m.Mode = SDCNormal
		case "Dmo":
			m.Mode = SDCDemo
		case "Srv":
			m.Mode = SDCService
		case "Mtn":
			m.Mode = SDCMaintenance
		}
		activation := r.xml.attribute("ActivationState")
		if m.Activation == SDCOn {
			activation = nil // of another MDS
		}
		switch string(activation) {
		case "On":
			m.Activation = SDCOn
		case "NotRdy":
			m.Activation = SDCNotReady
		case "StndBy":
			m.Activation = SDCStandBy
		case "Off":
			m.Activation = SDCOff
		case "Shtdn":
			m.Activation = SDCShutdown
		case "Fail":
			m.Activation = SDCFailure
		}
	case "PatientContextState":
		switch string(r.xml.attribute("ContextAssociation")) {
		case "Assoc":
			m.Patient = SDCAssociated
		case "No", "Pre", "Dis": // of a former patient, beside the present one's
			m.Patient = max(m.Patient, SDCNotAssociated)
		}
	}
}
