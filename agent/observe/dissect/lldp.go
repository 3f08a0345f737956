package dissect

import "encoding/binary"

// Organisationally unique identifiers of TLV 127, with its subtype below.
const (
	lldpMED  = 0x0012bb // TIA TR-41
	lldpIANA = 0x00005e // RFC 8520 §11
)

// LLDP is what a station says of itself (IEEE 802.1AB, ANSI/TIA-1057 for the
// MED part, RFC 8520 §11 for the MUD URL).
//
// phi: never read: location (MED subtype 3, civic address and emergency
// number), port id and port description, management address, every other TLV.
type LLDP struct {
	ChassisSubtype uint8
	ChassisMAC     [6]byte // zero unless ChassisSubtype is 4
	TTL            uint16  // seconds
	SystemName     Text
	SystemDesc     Text
	Capabilities   uint16 // bit 0 other, 1 repeater, 2 bridge, 3 WLAN AP, 4 router, 5 telephone, 6 DOCSIS, 7 station
	Enabled        uint16
	MEDClass       uint8 // 1 endpoint, 2 media, 3 communication device, 4 network; 0: no MED
	Hardware       Text
	Firmware       Text
	Software       Text
	Serial         Text
	Manufacturer   Text
	Model          Text
	Asset          Text
	MUDURL         Text // authority and path only
}

// Decode reads the payload of an LLDP frame (EtherType 88CC). It is false
// when the frame does not begin with a chassis id, as the standard demands
// (802.1AB §8.2), or with one of the reserved subtype 0; a TLV that is cut
// short ends the list.
func (m *LLDP) Decode(b []byte) bool {
	*m = LLDP{}
	for first := true; len(b) >= 2; first = false {
		header := binary.BigEndian.Uint16(b) // 7 bits type, 9 bits length
		kind, n := header>>9, int(header&0x1ff)
		if first && (kind != 1 || n < 2 || len(b) < 2+n || b[2] == 0) {
			return false
		}
		if kind == 0 || len(b) < 2+n {
			return !first
		}
		m.tlv(kind, b[2:2+n])
		b = b[2+n:]
	}
	return m.ChassisSubtype != 0
}

// tlv keeps one TLV if it is on the allow-list.
func (m *LLDP) tlv(kind uint16, v []byte) {
	switch {
	case kind == 1 && m.ChassisSubtype == 0: // Decode has checked the first one
		m.ChassisSubtype = v[0]
		if v[0] == 4 && len(v) == 7 {
			m.ChassisMAC = [6]byte(v[1:])
		}
	case kind == 3 && len(v) >= 2:
		m.TTL = binary.BigEndian.Uint16(v)
	case kind == 5:
		m.SystemName.setOnce(v)
	case kind == 6:
		m.SystemDesc.setOnce(v)
	case kind == 7 && len(v) >= 4:
		m.Capabilities = binary.BigEndian.Uint16(v)
		m.Enabled = binary.BigEndian.Uint16(v[2:])
	case kind == 127 && len(v) >= 4:
		oui := uint32(v[0])<<16 | uint32(v[1])<<8 | uint32(v[2])
		switch {
		case oui == lldpMED:
			m.med(v[3], v[4:])
		case oui == lldpIANA && v[3] == 1:
			m.MUDURL.setOnce(bareURL(v[4:]))
		}
	}
}

// med keeps the capabilities and the inventory of LLDP-MED (TIA-1057 §10.2).
func (m *LLDP) med(subtype uint8, v []byte) {
	switch subtype {
	case 1:
		if len(v) >= 3 {
			m.MEDClass = v[2]
		}
	case 5:
		m.Hardware.setOnce(v)
	case 6:
		m.Firmware.setOnce(v)
	case 7:
		m.Software.setOnce(v)
	case 8:
		m.Serial.setOnce(v)
	case 9:
		m.Manufacturer.setOnce(v)
	case 10:
		m.Model.setOnce(v)
	case 11:
		m.Asset.setOnce(v)
	}
}
