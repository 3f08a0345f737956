package dissect

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
	MUDURL         Text // without query and fragment
}
