package sim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// sdcPort is where the SDC devices serve; they name it themselves.
const sdcPort = 53200

// Codes of ISO/IEEE 11073-10101.
const (
	monitorCode     = 69965
	anaesthesiaCode = 70041
)

// monitors are the scenes of patient monitors and of what announces itself.
func (s *Stage) monitors() []Scene {
	all := []Scene{s.mindrayValues(), s.sdcReport(), s.rwhat(), s.vitals(), s.unityReport(), s.dri(), s.mindrayReport(cast.MindrayMonitor), s.mindrayReport(cast.MindrayAnaesthesia)}
	for _, p := range []cast.Part{cast.MindrayMonitor, cast.MindrayAnaesthesia} {
		all = append(all, s.mindray(p))
	}
	all = append(append(all, s.sdc(cast.SDCMonitor, monitorCode)...), s.sdc(cast.SDCAnaesthesia, anaesthesiaCode)...)
	return append(all, s.oximeter())
}

// rwhat is the GE monitor's announcement.
func (s *Stage) rwhat() Scene {
	return scene(cast.UnityMonitor, cast.Central, "udp", wire.UnityRWHAT, "RWHAT", func(int) [][]byte {
		return [][]byte{wire.RWHAT(s.member(cast.UnityMonitor).Addr, time.Now(), "ICU|BED12", s.person())}
	}, nil)
}

// vitals are what its central station asks it for; they come from another port.
func (s *Stage) vitals() Scene {
	central, monitor := func() netip.Addr { return s.member(cast.Central).Addr }, func() netip.Addr { return s.member(cast.UnityMonitor).Addr }
	x := scene(cast.Central, cast.UnityMonitor, "udp", wire.UnityAsked, "Unity vital signs", func(n int) [][]byte {
		return [][]byte{wire.UnityRequest(monitor(), central(), uint16(n), s.person())}
	}, func(heard []byte) []byte {
		if len(heard) < 20 {
			return nil
		}
		return wire.UnityVitals(central(), monitor(), binary.BigEndian.Uint16(heard[18:]), s.person(), []uint16{72, 98, 120, 80, 16})
	})
	x.asks, x.answer = wire.UnityAsks, wire.UnityTells
	return x
}

// unityReport is what a B40 sends by HL7 of itself, without a gateway.
func (s *Stage) unityReport() Scene {
	return s.hl7(cast.UnityMonitor, "HL7 report of a monitor", func(int) wire.Report {
		m := s.member(cast.UnityMonitor)
		eui := fmt.Sprintf("%X", m.MAC.EUI64(0xfffe))
		return wire.Report{App: "MONITOR^" + eui + "^EUI-64", Facility: "ICU", Type: "ORU^R01^ORU_R01", Version: "2.6", Profile: wire.PCD01, Patient: s.patient(), Segments: []string{
			"OBR|1|||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||" + hl7Time(),
			"OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||" + m.Model + "^^" + eui + "^EUI-64",
			"OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
		}}
	})
}

// dri is the computer interface of an S/5 monitor, read through a Digi server:
// its registration, the patient, values.
func (s *Stage) dri() Scene {
	const port, level = 4002, 8
	deviceType := uint16(10) // intensive care
	if s.Ward.Cast.Kind == cast.Theatre {
		deviceType = 26
	}
	return scene(cast.Hub, cast.DRIMonitor, "tcp", port, "DRI records", func(n int) [][]byte {
		return [][]byte{wire.DRI(wire.DRIValues, byte(n), level, uint32(time.Now().Unix()),
			wire.DRISub{Type: wire.DRIRequest, Data: []byte{wire.DRIDisplayed, 10, 0, 14, 0, 0, 0, 0, 0}})} // every ten seconds
	}, func([]byte) []byte {
		now := uint32(time.Now().Unix())
		network := wire.DRI(wire.DRINetwork, 1, level, now, wire.DRISub{Type: wire.DRIPatient, Data: []byte(s.person())},
			wire.DRISub{Type: wire.DRIRegister, Data: wire.DRIRegistration(wire.MAC{0, 0x40, 0x97, 1, 2, 3}, deviceType, level)})
		return append(network, wire.DRI(wire.DRIValues, 2, level, now, wire.DRISub{Type: wire.DRIDisplayed, Data: bytes.Repeat([]byte{72, 0, 0x7e, 0}, 20)})...)
	})
}

// mindray is the indication of a Mindray monitor or anaesthesia machine, with
// the patient in it, as they send it.
func (s *Stage) mindray(p cast.Part) Scene {
	const port = 4600
	return scene(p, cast.Hub, "udp", port, "Mindray indication", func(int) [][]byte {
		r := wire.Report{Type: "ADT^A01", Control: "101", Version: "2.3.1", Patient: s.patient()}
		return [][]byte{r.Message()}
	}, nil)
}

// mindrayReport is what it sends of values.
func (s *Stage) mindrayReport(p cast.Part) Scene {
	return s.hl7(p, "HL7 report of a Mindray device", func(int) wire.Report {
		m := s.member(p)
		eui := fmt.Sprintf("^%X^EUI-64", m.MAC.EUI64(0xfffe))
		r := wire.Report{App: m.Model + eui, Type: "ORU^R01^ORU_R01", Version: "2.6", Profile: wire.PCD01, Patient: s.patient(),
			Segments: []string{"OBR|1|||1000^x^99MNDRY", "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|72||||||R"}}
		if p == cast.MindrayMonitor { // the D series names itself as the facility
			r.App, r.Facility = "", m.Model+eui
		}
		return r
	})
}

// mindrayValues is how a collector reads a Mindray monitor: heartbeats of both
// sides, and values of no time and no sender.
func (s *Stage) mindrayValues() Scene {
	const port = 4601
	x := scene(cast.Hub, cast.MindrayMonitor, "tcp", port, "Mindray values", func(int) [][]byte { return [][]byte{wire.Mindray(wire.MindrayHeartbeat)} },
		func([]byte) []byte {
			return append(wire.Mindray(wire.MindrayHeartbeat), wire.Mindray(wire.MindrayValues, "OBX||NM|101^HR|2101|72||||||F", "OBX||NM|160^SpO2|2103|98||||||F")...)
		})
	x.whole = hl7Ended
	return x
}

// sdcIdentity is what an SDC device says of itself.
func (s *Stage) sdcIdentity(p cast.Part, code int) wire.SDCProvider {
	m := s.member(p)
	uuid := fmt.Sprintf("6f1f8b6e-0000-4000-8000-%012x", m.MAC[:])
	return wire.SDCProvider{UUID: uuid, Code: code, Address: fmt.Sprintf("http://%s:%d/%s", m.Addr, sdcPort, uuid), Bed: s.Ward.Cast.Patient.Family,
		Friendly: s.person(), Maker: "Dräger", Firmware: m.SW, Serial: m.Serial}
}

// sdcReport is a monitor's report to its subscriber that a patient is at it.
func (s *Stage) sdcReport() Scene {
	const port = 6464 // IANA: ieee11073-20701
	return scene(cast.SDCMonitor, cast.Hub, "tcp", port, "SDC context report", func(int) [][]byte {
		p := s.Ward.Cast.Patient
		return [][]byte{s.sdcIdentity(cast.SDCMonitor, monitorCode).SDCReport(s.member(cast.Hub).Addr.String(), p.Family, p.Given)}
	}, func([]byte) []byte { return wire.SDCTaken() })
}

// sdc is an SDC device: its hello, and metadata in clear text, whose name is a
// person's.
func (s *Stage) sdc(p cast.Part, code int) []Scene {
	identity := func() wire.SDCProvider { return s.sdcIdentity(p, code) }
	hello := scene(p, cast.Hub, "udp", wire.DiscoveryPort, "WS-Discovery hello", func(n int) [][]byte {
		return [][]byte{identity().Hello(fmt.Sprintf("6f1f8b6e-0000-4000-9000-%012x", n))}
	}, nil)
	metadata := scene(cast.Hub, p, "tcp", sdcPort, "SDC metadata", func(int) [][]byte {
		d := identity()
		return [][]byte{wire.SDCGet(s.member(p).Addr.String(), d.UUID)}
	}, func([]byte) []byte { return identity().Metadata() })
	return []Scene{hello, metadata}
}

// oximeter is a personal health device: association, attributes, a report with
// a person in it.
func (s *Stage) oximeter() Scene {
	identity := func() wire.PHDIdentity {
		m := s.member(cast.Oximeter)
		return wire.PHDIdentity{System: m.MAC.EUI64(0xfffe), Config: 0x0190, Maker: "Nonin", Model: "oximeter", Serial: m.Serial, Firmware: m.SW, Profile: wire.PHDOximeter}
	}
	manager := func() [8]byte { return s.member(cast.Hub).MAC.EUI64(0xfffe) }
	return scene(cast.Oximeter, cast.Hub, "tcp", wire.PHDPort, "IEEE 11073-20601 measurements", func(n int) [][]byte {
		if n == 0 {
			return [][]byte{wire.PHDAssociate(identity()), wire.PHDAttributes(1, identity())}
		}
		return [][]byte{wire.PHDScan(uint16(n), s.person(), 98, 72)}
	}, func(heard []byte) []byte {
		switch {
		case len(heard) > 0 && heard[0] == 0xe2: // the manager asks at once for the attributes
			return append(wire.PHDAccept(manager()), wire.PHDGet(1)...)
		case bytes.Contains(heard, []byte{0x02, 0x03}) && len(heard) > 60:
			return wire.PHDReceived(1)
		}
		return wire.PHDReceived(2)
	})
}
