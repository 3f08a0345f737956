package utilise

import (
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// sign is what a minute of a device showed; a set of them.
type sign uint16

// Signs. The E1 are states that the device reports, the E2 classes of messages.
const (
	saysUse sign = 1 << iota
	saysIdle
	saysOff
	saysService
	saysOn    // that it, or one of several devices that it is, is switched on: it may be in use
	saysLeave // that it leaves the network
	sendsUse  // messages that only a device in use sends
	sendsIdle // heartbeats and the like
	sendsTest // results of controls, of no patient
	busy      // traffic well above its idling
)

// use are the signs that somebody uses the device.
const use = saysUse | sendsUse | busy

// signOf is what a fact says of the device's use (protocols.md §5.1), 0 for
// nothing. Alarms say nothing: a device raises them unused as well.
func signOf(kind fact.Kind, value string) sign {
	switch kind {
	case fact.BCCState: // "on" is said of one that infuses as well
		return pick(value, "active kvo", "standby ready", "off", "")
	case fact.HL7PumpState:
		return pick(value, "infusing", "not-infusing", "", "")
	case fact.HL7EquState: // HL7 table 0365
		return pick(value, "OP", "ID PU IN", "SD", "CO DI MA")
	case fact.MedibusState:
		return pick(value, "operating", "standby", "", "")
	case fact.IVMode:
		return pick(value, "monitoring", "standby", "", "demo service config")
	case fact.SDCMode: // "normal" is said of a device on the shelf as well
		return pick(value, "", "", "", "demo service maintenance")
	case fact.SDCActivation: // so is "on"
		if value == "on" {
			return saysOn
		}
		return pick(value, "", "stand-by", "off shut-down", "")
	case fact.SDCInUse, fact.IVInUse:
		return pick(value, "yes", "", "", "") // without a patient's record it may work all the same
	case fact.WSDLeaves:
		return saysLeave
	case fact.IVSends:
		return class(value, "values waves", "indication nothing")
	case fact.MindraySends:
		return class(value, "values pressure waves", "heartbeat")
	case fact.DRIRecord:
		return class(value, "values wave", "network")
	case fact.UnitySends:
		return class(value, "vitals", "")
	case fact.UnityRWHAT:
		return sendsIdle
	case fact.POCTSends:
		if value == "OBS.R02" { // controls (protocols.md §2.13)
			return sendsTest
		}
		return class(value, "OBS.R01", "KPA.R01")
	case fact.POCTState: // that it could be used, said before each transfer: no state of use
		return class(value, "", "ready")
	case fact.ASTMSends:
		return class(value, "results orders", "")
	case fact.DICOMStores, fact.DICOMPerforms, fact.MedibusDevice, fact.PHDReports:
		return sendsUse
	case fact.DICOMProposes: // verification (PS3.4 annex A), the worklist (annex K)
		return class(value, "", "1.2.840.10008.1.1 1.2.840.10008.5.1.4.31")
	case fact.HL7PCD:
		return class(value, "pcd-01", "")
	}
	return 0
}

// Reports reports a kind of fact that says what a device is doing now, or how the
// patient at it is (alarms): it is for this box alone.
func Reports(kind fact.Kind) bool {
	switch kind {
	case fact.BCCState, fact.HL7PumpState, fact.HL7EquState, fact.HL7Alarm, fact.MedibusState, fact.IVMode, fact.SDCMode, fact.SDCActivation,
		fact.SDCInUse, fact.WSDLeaves, fact.IVInUse, fact.POCTState:
		return true
	}
	return false
}

// pick tells a state by lists of words.
func pick(value, inUse, idle, off, service string) sign {
	switch {
	case among(value, inUse):
		return saysUse
	case among(value, idle):
		return saysIdle
	case among(value, off):
		return saysOff
	case among(value, service):
		return saysService
	}
	return 0
}

// class tells a class of messages by lists of words.
func class(value, inUse, idle string) sign {
	switch {
	case among(value, inUse):
		return sendsUse
	case among(value, idle):
		return sendsIdle
	}
	return 0
}

// among reports whether word stands in a list with spaces between.
func among(word, list string) bool {
	for len(list) > 0 {
		n := 0
		for n < len(list) && list[n] != ' ' {
			n++
		}
		if list[:n] == word {
			return true
		}
		list = list[min(n+1, len(list)):]
	}
	return false
}

// forOthers are roles that pass on what other devices say: that one of these is
// idle does not make the sender idle.
func forOthers(role device.Role) bool {
	switch role {
	case "pump-server", "central-station", "device-integration-gateway", "serial-device-server", "nurse-call",
		"integration-engine", "lis-middleware", "dicom-router", "pacs-vna", "ecg-management", "ehr":
		return true
	}
	return false
}

// leaves is after how many minutes without a sign of use a device is no longer
// in use (protocols.md §5.2).
func leaves(role device.Role) int {
	switch role {
	case "infusion-pump-lvp", "infusion-pump-syringe", "infusion-pump-pca", "ventilator", "anaesthesia-machine":
		return 5
	case "lab-analyser", "blood-gas", "poct-meter-dock":
		return 15
	case "ultrasound", "ct", "mr", "xray-dr", "mammography", "c-arm-angio", "nuclear-pet", "endoscopy", "slide-scanner", "cr-reader":
		return 30
	case "bed":
		return 60
	}
	return 10
}
