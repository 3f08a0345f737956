package dissect

// poctWindow is how much of a message is looked at, bytes; a hello is shorter.
const poctWindow = 4 << 10

// POCT1A is one message between a point-of-care device and its data manager
// (CLSI POCT1-A).
//
// phi: never read: every message but the hello and the state in a device
// status; in the hello all but the fields below, above all times. Patients,
// operators, orders, specimens and observations stand in other messages, of which
// only the name is known.
type POCT1A struct {
	Message  POCTMessage
	DeviceID Text // DEV.device_id
	Vendor   Text // DEV.vendor_id
	Model    Text // DEV.model_id
	Serial   Text // DEV.serial_id
	Maker    Text // DEV.manufacturer_name
	Hardware Text // DEV.hw_version
	Software Text // DEV.sw_version
	Name     Text // DEV.device_name
	State    POCTState
}

// POCTState is what a device status says of the device.
type POCTState uint8

// The states; zero is not said.
const (
	_ POCTState = iota
	POCTReady
	POCTOther
)

// String names the state.
func (s POCTState) String() string {
	return [...]string{"", "ready", "not-ready"}[min(s, POCTOther)]
}

// POCTMessage is the name of a message, one of a closed list.
type POCTMessage uint8

// poctMessages are the names, in the order of their numbers from 1.
const poctMessages = "HEL.R01 DST.R01 OBS.R01 OBS.R02 ACK.R01 REQ.R01 DTV.R01 DTV.R02 OPL.R01 EVS.R01 KPA.R01 EOT.R01 END.R01 ESC.R01 "

// Numbers of the messages that are told apart.
const (
	POCTHello  POCTMessage = 1
	POCTStatus POCTMessage = 2
)

const poctName = len("HEL.R01")

// String is the name, or "".
func (p POCTMessage) String() string {
	at := (int(p) - 1) * (poctName + 1)
	if at < 0 || at >= len(poctMessages) {
		return ""
	}
	return poctMessages[at : at+poctName]
}

// read sets the message by its name, or to none.
func (p *POCTMessage) read(name []byte) {
	*p = 0
	for n := POCTMessage(1); n.String() != ""; n++ {
		if string(name) == n.String() {
			*p = n
		}
	}
}

// poctRoot returns b from the tag of the root on: what may stand in front of it
// is passed over. It is empty where the root is yet to come.
func poctRoot(b []byte) []byte {
	const mark = "\xef\xbb\xbf"
	if n := min(len(b), len(mark)); n > 0 && string(b[:n]) == mark[:n] {
		b = b[n:]
	}
	b = trimLeft(b)
	const declaration = "<?xml"
	if n := min(len(b), len(declaration)); n > 1 && string(b[:n]) == declaration[:n] {
		for i := 1; i < len(b) && i < 128; i++ {
			if b[i] == '>' {
				return trimLeft(b[i+1:])
			}
		}
		if len(b) < 128 {
			return nil
		}
	}
	return b
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\r' || b[0] == '\n' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// isPOCT1A reports whether b begins, as far as it goes, with a message.
func isPOCT1A(b []byte) bool {
	root := poctRoot(b)
	if len(root) == 0 {
		return true
	}
	if root[0] != '<' {
		return false
	}
	name := root[1:min(len(root), 1+poctName)]
	for n := POCTMessage(1); n.String() != ""; n++ {
		if string(name) == n.String()[:len(name)] {
			return len(root) < poctName+2 || root[poctName+1] == '>' || root[poctName+1] <= ' ' || root[poctName+1] == '/'
		}
	}
	return false
}

// DecodeStream reads one message at the start of b.
func (m *POCT1A) DecodeStream(b []byte) Progress {
	if !isPOCT1A(b) {
		return No
	}
	*m = POCT1A{}
	root := poctRoot(b[:min(len(b), poctWindow)])
	if len(root) < poctName+2 {
		return NeedMore
	}
	m.Message.read(root[1 : poctName+1])
	if m.Message != POCTHello && m.Message != POCTStatus {
		return Done
	}
	depth := 0
	for r := (xmlScanner{b: root}); ; {
		switch r.next() {
		case xmlStart:
			depth++
			if depth == 3 { // root, object, field
				m.field(r.name, r.attribute("V"))
			}
		case xmlEnd:
			if depth--; depth <= 0 {
				return Done
			}
		case xmlText:
		default:
			if len(b) < poctWindow {
				return NeedMore
			}
			return Done
		}
	}
}

// field keeps a value that is on the list.
func (m *POCT1A) field(name, v []byte) {
	if len(v) == 0 {
		return
	}
	var to *Text
	switch string(name) {
	case "DST.condition_cd":
		if m.State = POCTOther; string(v) == "R" {
			m.State = POCTReady
		}
		return
	case "DEV.device_id":
		to = &m.DeviceID
	case "DEV.vendor_id":
		to = &m.Vendor
	case "DEV.model_id":
		to = &m.Model
	case "DEV.serial_id":
		to = &m.Serial
	case "DEV.manufacturer_name":
		to = &m.Maker
	case "DEV.hw_version":
		to = &m.Hardware
	case "DEV.sw_version":
		to = &m.Software
	case "DEV.device_name":
		to = &m.Name
	default:
		return
	}
	if m.Message == POCTHello && to.IsZero() {
		to.setXML(v)
	}
}
