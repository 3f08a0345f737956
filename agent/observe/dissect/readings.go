package dissect

// Reading is what is read of a protocol or of a family of them, for people. What
// is never read stands in the comments of the messages.
type Reading struct {
	Name      string
	Protocols []Protocol // of the tables that tell them; none: it comes inside of another, or below them
	Messages  []string   // the exported structs that hold what is kept
	Stated    string     // what is kept, in short
}

// Readings has each protocol of the tables, and each message, once.
func Readings() []Reading {
	return []Reading{
		{"Ethernet, 802.1Q/QinQ, ARP, IPv4 with fragments, IPv6, NDP, ICMP, TCP, UDP", nil, nil, "addresses, VLAN, flows"},
		{"DHCPv4; DNS, mDNS; LLDP", []Protocol{ProtocolDHCPv4, ProtocolMDNS, ProtocolDNS}, []string{"DHCPv4", "DNS", "LLDP"}, "names, classes, services, models"},
		{"TLS", []Protocol{ProtocolTLS}, []string{"ClientHello", "ServerHello"}, "SNI, ALPN, JA3, JA4 of the client; ALPN of the server"},
		{"HTTP", []Protocol{ProtocolHTTP}, []string{"HTTP"}, "Server, User-Agent; by media type what stands below"},
		{"HL7 v2 in MLLP, bare, in batches, over HTTP, in datagrams", []Protocol{ProtocolHL7, ProtocolHL7Bare}, []string{"HL7"},
			"of MSH, SFT, OBX, PRT, EQU the device fields; IHE PCD transaction; whether a pump infuses, an alarm is active; refusals are counted"},
		{"FHIR, DICOMweb", nil, []string{"FHIR"}, "method and class of records asked for; who serves; of a CapabilityStatement software, version, description"},
		{"DICOM", []Protocol{ProtocolDICOM}, []string{"DICOM"}, "association: AE titles, implementation, services, roles, refusals; of data the class, by its context; that a procedure is performed (MPPS)"},
		{"Philips IntelliVue", []Protocol{ProtocolIntelliVue}, []string{"IntelliVue"}, "connect indication, MDS create event: model, serial, software, mode; of poll results their class, mode, whether a patient is admitted; who collects"},
		{"WS-Discovery", []Protocol{ProtocolWSDiscovery}, []string{"WSDiscovery"}, "types, endpoint, addresses, allowed scopes: SDC providers, cameras, printers, Windows; that one leaves"},
		{"SDC metadata and MDIB in clear HTTP", nil, []string{"SDC"}, "maker, model, firmware, serial, UDI, type code, mode; whether a patient is associated"},
		{"GE Unity", []Protocol{ProtocolUnity}, []string{"Unity"}, "RWHAT: services (ward, bed and patient are zeroed first); that vitals or alarms are sent, and to whom"},
		{"GE/Datex DRI", []Protocol{ProtocolDRI}, []string{"DRI"}, "class of record, level, device type, MAC"},
		{"Mindray indication, classes of Mindray messages", []Protocol{ProtocolMindray}, []string{"Mindray"}, "that it tells of itself; MSH-3, 4, 12; nothing behind MSH; heartbeat, values, pressure or waves, by a closed list of control ids"},
		{"IEEE 11073-20601", []Protocol{ProtocolPHD}, []string{"PHD"}, "system id, configuration, profile, maker, model, serial, firmware; who manages"},
		{"B. Braun BCC", []Protocol{ProtocolBCC}, []string{"BCC"}, "type, numbers and state of each pump, version of the rack; who asks"},
		{"Dräger MEDIBUS", []Protocol{ProtocolMedibus}, []string{"Medibus"}, "name, revision, whether in standby; who collects"},
		{"POCT1-A", []Protocol{ProtocolPOCT1A}, []string{"POCT1A"}, "of the hello vendor, model, serial, versions; names of messages; ready or not"},
		{"ASTM E1381/E1394", []Protocol{ProtocolASTM}, []string{"ASTM"}, "sender, version and serial of the header; class of records"},
		{"Alaris Asena, Baxter AS50, Puritan Bennett 840, Masimo Radical over TCP", []Protocol{ProtocolSerialASCII}, []string{"SerialASCII"}, "serial number, protocol version; of AS50 that it answers"},
		{"Digi ADDP, Moxa, Lantronix discovery", []Protocol{ProtocolADDP, ProtocolMoxa, ProtocolLantronix}, []string{"ADDP", "Moxa", "Lantronix"},
			"that it is a serial device server; product, firmware, ports"},
		{"AeroScout", []Protocol{ProtocolAeroScout}, []string{"AeroScout"}, "that a reader of tags and an engine talk; no tag, no place"},
	}
}
