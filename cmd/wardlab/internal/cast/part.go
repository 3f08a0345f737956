package cast

// Part is what a host plays in the lab.
type Part int

// The zero Part is invalid.
const (
	_ Part = iota
	Pump
	Monitor
	Ultrasound
	Printer
	Intruder
	PC
	PumpServer
	Central
	PACS
	Infra
)

// Parts lists the parts of the basic ward, ward side first, in the order in which it is shown.
func Parts() []Part {
	return []Part{Pump, Monitor, Ultrasound, Printer, Intruder, PC, PumpServer, Central, PACS, Infra}
}

// String is the part's name as the console, the JSON summary and the lab's
// policy spell it.
func (p Part) String() string {
	switch p {
	case Pump:
		return "pump"
	case Monitor:
		return "monitor"
	case Ultrasound:
		return "ultrasound"
	case Printer:
		return "printer"
	case Intruder:
		return "intruder"
	case PC:
		return "pc"
	case PumpServer:
		return "pump-server"
	case Central:
		return "central"
	case PACS:
		return "pacs"
	case Infra:
		return "dns"
	}
	return p.extra().name
}

// Uplink reports whether the host stands behind the gateway's uplink.
func (p Part) Uplink() bool {
	switch p {
	case PumpServer, Central, PACS, Infra, Hub:
		return true
	}
	return false
}

// Role is the role that the agent must hold at "confirmed" before the intruder
// starts; empty for hosts whose role is not judged.
func (p Part) Role() string {
	switch p {
	case Pump:
		return "infusion-pump-lvp"
	case Monitor:
		return "patient-monitor"
	case Ultrasound:
		return "ultrasound"
	case Printer:
		return "printer"
	}
	return p.extra().role
}

// Port is the gateway port behind which the host stands.
func (p Part) Port() string {
	switch p {
	case Pump:
		return "w1"
	case Monitor:
		return "w2"
	case Ultrasound:
		return "w3"
	case Printer:
		return "w4"
	case Intruder, PC:
		return "w5"
	}
	if !p.Uplink() && p.Bedside() {
		return BedsidePort
	}
	return "up0"
}

// BedsidePort is the gateway port that wards other than the basic one have
// besides, with a switch behind it.
const BedsidePort = "w6"
