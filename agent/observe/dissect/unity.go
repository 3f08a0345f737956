package dissect

import "encoding/binary"

// Unity is what a datagram of the GE Unity network (Dash, Solar, CARESCAPE)
// says of its sender: RWHAT, by which a monitor tells the network that it is
// there, and the header of a message.
//
// phi: never read: ward, bed and patient name of RWHAT (bytes 12 to 42, which
// BlankUnity has zeroed before), the location of a message, and everything
// behind its function: vitals, waves, alarms, admissions.
type Unity struct {
	Kind UnityKind
	IP   [4]byte // of the sender, as it says

	Services    [unityMaxServices]UnityService // of RWHAT
	ServicesLen uint8
}

// UnityKind is the kind of a datagram.
type UnityKind uint8

// Kinds. The zero value is none of them.
const (
	_ UnityKind = iota
	UnityRWHAT
	UnityVitals
	UnityAlarm
	UnityRequest // for vitals or waves
)

// UnityService is a service that a monitor offers on a UDP port.
type UnityService struct{ ID, Port uint16 }

// Layout of RWHAT and of the header of a message, offsets in bytes.
const (
	unityLen         = 88
	unityAddress     = 4
	unityPatient     = 12 // ward, bed and patient, up to
	unityPatientEnd  = 43
	unityCount       = 43
	unityServices    = 44
	unityMaxServices = (unityLen - unityServices) / 4
	unityPort        = 7000

	unityHeaderLen = 60
	unitySender    = 6
	unityFunction  = 12
	unitySub       = 14
)

// BlankUnity zeroes where a RWHAT has its ward, bed and patient, in what goes
// to its port. It changes the frame that v was decoded from, so that no one who
// comes after finds them.
func (v *View) BlankUnity() {
	b := v.Payload
	if v.Transport != TransportUDP {
		// The first fragment has the header, the others cannot be told.
		if v.Fragment != FragmentFirst || v.FragProto != protoUDP || len(v.FragData) < udpLen || binary.BigEndian.Uint16(v.FragData[2:]) != unityPort {
			return
		}
		b = v.FragData[udpLen:]
	} else if v.DstPort != unityPort {
		return
	}
	clear(b[min(len(b), unityPatient):min(len(b), unityPatientEnd)])
}

// isRWHAT recognises the message by its length, its first bytes, and a list of
// services, each with a port, and nothing but zeroes behind: so the count is right.
func isRWHAT(b []byte) bool {
	if len(b) != unityLen || b[1] != 4 {
		return false
	}
	n := int(b[unityCount])
	if n == 0 || n > unityMaxServices {
		return false
	}
	for s := b[unityServices:]; n > 0; s, n = s[4:], n-1 {
		if s[2]|s[3] == 0 {
			return false
		}
	}
	for _, c := range b[unityServices+4*int(b[unityCount]):] {
		if c != 0 {
			return false
		}
	}
	return true
}

// isUnityMessage recognises the function of a message. Whether the addresses in
// it are those of the frame is for the caller to see.
func isUnityMessage(b []byte) bool { return len(b) >= unityHeaderLen && unityKind(b) != 0 }

func unityKind(b []byte) UnityKind {
	switch binary.BigEndian.Uint32(b[unityFunction:]) {
	case 0x00c90004:
		return UnityAlarm
	case 0x00c90014:
		return UnityVitals
	case 0x00ca0021, 0x00ca0060:
		return UnityRequest
	}
	return 0
}

// Decode reads a UDP payload.
func (m *Unity) Decode(b []byte) bool {
	*m = Unity{}
	switch {
	case len(b) >= 4 && binary.BigEndian.Uint32(b) == 0x01040000 && isRWHAT(b):
		m.Kind, m.IP = UnityRWHAT, [4]byte(b[unityAddress:])
		for i := range b[unityCount] {
			s := b[unityServices+4*int(i):]
			m.Services[i] = UnityService{binary.BigEndian.Uint16(s), binary.BigEndian.Uint16(s[2:])}
			m.ServicesLen++
		}
	case isUnityMessage(b):
		m.Kind, m.IP = unityKind(b), [4]byte(b[unitySender:])
	}
	return m.Kind != 0
}
