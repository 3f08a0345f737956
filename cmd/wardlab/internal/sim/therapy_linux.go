package sim

import (
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// Ports of serial lines on the network; each server has its own.
const (
	asenaPort   = 10001
	medibusPort = 4001
	pb840Port   = 10002
	masimoPort  = 2101
	as50Port    = 10003
)

// therapy are the scenes of pumps, ventilators and anaesthesia machines.
func (s *Stage) therapy() []Scene {
	return []Scene{s.rack(), s.pumpReport(cast.Rack), s.pumpReport(cast.Syringe), s.asena(), s.as50(), s.medibus(cast.Ventilator), s.medibus(cast.Anaesthesia),
		s.pb840(), s.masimo(), s.lantronix(), s.moxa(), s.addp(), s.tags()}
}

// rack is a B. Braun rack of pumps that is asked for its values.
func (s *Stage) rack() Scene {
	patient := s.Ward.Cast.Patient
	return scene(cast.Hub, cast.Rack, "tcp", wire.BCCPort, "BCC values", func(n int) [][]byte {
		bed := patient.Family + "/1/1"
		if n == 0 {
			return [][]byte{wire.BCC(bed, "ADMIN:VERSION")}
		}
		return [][]byte{wire.BCC(bed, "MEM:GET")}
	}, func(heard []byte) []byte {
		bed := patient.Family + "/1/1"
		if string(heard) == string(wire.BCC(bed, "ADMIN:VERSION")) {
			return append([]byte{0x06}, wire.BCC(bed, "V3.30")...)
		}
		pump := s.member(cast.Rack)
		return append([]byte{0x06}, wire.BCC(bed, wire.BCCValues(1, wire.BCCValue{Slot: '1', Name: "GNMODEL", Value: "688F030006"},
			wire.BCCValue{Slot: '1', Name: "INSERNUM", Value: pump.Serial}, wire.BCCValue{Slot: '1', Name: "INM3", Value: "1"},
			wire.BCCValue{Slot: '1', Name: "PATID", Value: patient.ID}, wire.BCCValue{Slot: '1', Name: "NURSEID", Value: patient.Given},
			wire.BCCValue{Slot: '1', Name: "INRT", Value: "3.5"}))...)
	})
}

// pumpReport is IHE PCD-01 of a B. Braun pump.
func (s *Stage) pumpReport(p cast.Part) Scene {
	return s.hl7(p, "HL7 report of a pump", func(int) wire.Report {
		m := s.member(p)
		eui := fmt.Sprintf("%X", m.MAC.EUI64(0xfffe))
		device := m.Model + "^^" + eui + "^EUI-64"
		return wire.Report{App: "BBRAUN_SPACE^" + eui + "^EUI-64", Facility: "BBRAUN", Type: "ORU^R01^ORU_R01", Version: "2.6", Profile: wire.PCD01, Patient: s.patient(), Segments: []string{
			"OBR|1|||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|||" + hl7Time(),
			"OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||" + device,
			"OBX|2|ST|184519^MDC_PUMP_INFUSING_STATUS^MDC|1.1.1.2|pump-status-infusing||||||R|||||||" + device,
			"OBX|3|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.1.3|3.5|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||R|||||||" + device,
		}}
	})
}

// asena is an Alaris syringe pump that is asked for its number and its infusion.
func (s *Stage) asena() Scene {
	return scene(cast.Hub, cast.Asena, "tcp", asenaPort, "Asena lines", func(n int) [][]byte {
		return [][]byte{wire.Asena("INST_SERIALNO", ""), wire.Asena("INF", "")}
	}, func(heard []byte) []byte {
		if string(heard) == string(wire.Asena("INST_SERIALNO", "")) {
			return wire.Asena("INST_SERIALNO", s.member(cast.Asena).Serial)
		}
		return wire.Asena("INF", s.Ward.Cast.Patient.Given+"^3.5")
	})
}

// as50 is a Baxter syringe pump that is asked what it is.
func (s *Stage) as50() Scene {
	return scene(cast.Hub, cast.AS50, "tcp", as50Port, "AS50 questions", func(n int) [][]byte {
		if n == 0 {
			return [][]byte{wire.AS50("DEV?")}
		}
		return [][]byte{wire.AS50("STATUS?")}
	}, func([]byte) []byte { return wire.AS50Answer() })
}

// medibus is a Dräger ventilator or anaesthesia machine: initialised, asked who
// it is, then for values and texts.
func (s *Stage) medibus(p cast.Part) Scene {
	return scene(cast.Hub, p, "tcp", medibusPort, "MEDIBUS values", func(n int) [][]byte {
		if n == 0 {
			return [][]byte{wire.MedibusCommand(wire.MedibusInitialise, ""), wire.MedibusCommand(wire.MedibusIdentity, "")}
		}
		return [][]byte{wire.MedibusCommand(wire.MedibusIdentity, ""), wire.MedibusCommand(wire.MedibusValues, ""), wire.MedibusCommand(wire.MedibusTexts, "")}
	}, func(heard []byte) []byte {
		if len(heard) < 2 {
			return nil
		}
		switch code := heard[1]; code {
		case wire.MedibusIdentity:
			return wire.MedibusAnswer(code, wire.MedibusDevice("8020", s.member(p).Model, s.member(p).SW, "04.00"))
		case wire.MedibusValues:
			return wire.MedibusAnswer(code, "05 42006 16")
		case wire.MedibusTexts:
			return wire.MedibusAnswer(code, "0B1"+s.Ward.Cast.Patient.Family+"\x03")
		default:
			return wire.MedibusAnswer(code, "")
		}
	})
}

// pb840 is a Puritan Bennett ventilator behind a Lantronix server.
func (s *Stage) pb840() Scene {
	return scene(cast.Hub, cast.BoxedVentilator, "tcp", pb840Port, "PB840 settings", func(int) [][]byte { return [][]byte{[]byte("SNDA\r")} },
		func([]byte) []byte {
			m := s.member(cast.BoxedVentilator)
			return wire.PB840(time.Now().Format("15:04"), m.Model+" "+m.Serial, "NOV 28 2026", s.Ward.Cast.Patient.Family, "16.0", "0.45")
		})
}

// masimo is an oximeter that sends a line a second.
func (s *Stage) masimo() Scene {
	return scene(cast.Hub, cast.Cooximeter, "tcp", masimoPort, "Masimo lines", func(int) [][]byte { return [][]byte{[]byte("\r")} },
		func([]byte) []byte {
			return wire.Masimo(time.Now().Format("01/02/06 15:04:05"), "00"+s.member(cast.Cooximeter).Serial, 98, 72)
		})
}

// tags is a reader that hears the tag of the patient, and tells the engine.
func (s *Stage) tags() Scene {
	return scene(cast.TagReader, cast.Hub, "udp", wire.AeroScoutPort, "AeroScout notification", func(n int) [][]byte {
		return [][]byte{wire.AeroScout(uint16(n), wire.MAC(s.member(cast.TagReader).MAC), []byte(s.Ward.Cast.Patient.ID))}
	}, func(heard []byte) []byte {
		if len(heard) < 4 {
			return nil
		}
		return wire.AeroScoutReceipt(uint16(heard[2])<<8 | uint16(heard[3]))
	})
}

// lantronix, moxa and addp are serial device servers that are asked who they
// are.
func (s *Stage) lantronix() Scene {
	return scene(cast.Hub, cast.BoxedVentilator, "udp", wire.LantronixPort, "Lantronix discovery", func(int) [][]byte { return [][]byte{{0, 0, 0, 0xf6}} },
		func([]byte) []byte { return wire.LantronixAnswer() })
}

func (s *Stage) moxa() Scene {
	return scene(cast.Hub, cast.Anaesthesia, "udp", wire.MoxaPort, "Moxa discovery", func(int) [][]byte { return [][]byte{{1, 0, 0, 8, 0, 0, 0, 0}} },
		func([]byte) []byte {
			m := s.member(cast.Anaesthesia)
			return wire.MoxaAnswer(0, 0x5110, wire.MAC(m.MAC), m.Addr, "theatre-"+s.Ward.Cast.Patient.Family)
		})
}

func (s *Stage) addp() Scene {
	return scene(cast.Hub, cast.DRIMonitor, "udp", wire.ADDPPort, "ADDP discovery", func(int) [][]byte {
		return [][]byte{[]byte("DIGI\x00\x01\x00\x06\xff\xff\xff\xff\xff\xff")}
	}, func([]byte) []byte {
		m := s.member(cast.DRIMonitor)
		return wire.ADDPAnswer(wire.MAC(m.MAC), m.Addr, "bed-"+s.Ward.Cast.Patient.Family, "serial server", "Version "+m.SW, 1)
	})
}
