package fact

// Kind names what a fact states. The list is closed: New refuses all others.
// Kinds are named <protocol>.<field>.
type Kind string

// Kinds, by protocol.
const (
	OUIVendor Kind = "oui.vendor" // registered owner of the MAC prefix

	DHCPHostname    Kind = "dhcp.hostname"     // option 12
	DHCPFQDN        Kind = "dhcp.fqdn"         // option 81
	DHCPVendorClass Kind = "dhcp.vendor_class" // option 60
	DHCPPRL         Kind = "dhcp.prl"          // option 55, decimal, comma, in order
	DHCPServer      Kind = "dhcp.server"       // answers as a DHCP server: "yes"
	DHCPMUD         Kind = "dhcp.mud_url"      // option 161, host and path

	DNSServer Kind = "dns.server" // answers DNS: "yes"
	MDNSName  Kind = "mdns.name"  // a name asked for or answered, services and hosts
	MDNSPTR   Kind = "mdns.ptr"   // target of a PTR record that is a service
	MDNSModel Kind = "mdns.model" // TXT md, model, ty, product, usb_MDL, …
	MDNSMaker Kind = "mdns.maker" // TXT manufacturer, mfg, usb_MFG
	MDNSFW    Kind = "mdns.fw"    // TXT fv, srcvers, vs, …

	LLDPSysName    Kind = "lldp.sysname"
	LLDPSysDescr   Kind = "lldp.sysdescr"
	LLDPChassisMAC Kind = "lldp.chassis_mac"
	LLDPCaps       Kind = "lldp.capabilities" // enabled: "bridge,router,…"
	LLDPMaker      Kind = "lldp.med_maker"
	LLDPModel      Kind = "lldp.med_model"
	LLDPSerial     Kind = "lldp.med_serial"
	LLDPFW         Kind = "lldp.med_fw"

	TLSSNI  Kind = "tls.sni"
	TLSALPN Kind = "tls.alpn"
	TLSJA3  Kind = "tls.ja3"
	TLSJA4  Kind = "tls.ja4"

	HTTPUserAgent Kind = "http.user_agent"
	HTTPServer    Kind = "http.server"

	FHIRClient      Kind = "fhir.client" // method and class of what it asks for: "GET Patient"
	FHIRServer      Kind = "fhir.server" // answers with FHIR: "yes"
	FHIRSoftware    Kind = "fhir.software"
	FHIRSoftwareVer Kind = "fhir.software_version"
	FHIRVersion     Kind = "fhir.version"
	FHIRDescription Kind = "fhir.description"
	DICOMWebClient  Kind = "dicomweb.client" // method and level: "GET studies"
	DICOMWebServer  Kind = "dicomweb.server" // answers with DICOM: "yes"

	HL7HTTP      Kind = "hl7.http" // sends HL7 v2 over HTTP: "er7", "xml"
	HL7App       Kind = "hl7.msh3_sending_app"
	HL7Facility  Kind = "hl7.msh4_sending_facility"
	HL7Type      Kind = "hl7.msh9_type" // ORU^R01, ADT^A01, ACK, …
	HL7Version   Kind = "hl7.msh12_version"
	HL7Profile   Kind = "hl7.msh21_profile"   // OID
	HL7Receives  Kind = "hl7.receives"        // message type it accepts, as the listener
	HL7OBX3      Kind = "hl7.obx3_device"     // MDC code of an MDS, VMD or channel
	HL7Equipment Kind = "hl7.obx18_equipment" // of OBX-18 or EQU-1
	HL7Device    Kind = "hl7.prt10_device"
	HL7UDI       Kind = "hl7.prt16_udi"
	HL7Lot       Kind = "hl7.prt19_lot"
	HL7Serial    Kind = "hl7.prt20_serial"
	HL7DevType   Kind = "hl7.prt22_type"

	HL7SoftMaker   Kind = "hl7.sft1_vendor"
	HL7SoftVersion Kind = "hl7.sft2_version"
	HL7SoftProduct Kind = "hl7.sft3_product"
	HL7SoftBinary  Kind = "hl7.sft4_binary"
	HL7SoftDate    Kind = "hl7.sft6_installed" // digits
	HL7EquState    Kind = "hl7.equ3_state"     // code of table 0365
	HL7PCD         Kind = "hl7.pcd"            // IHE transaction: "pcd-01"
	HL7PumpState   Kind = "hl7.pump_state"     // "infusing", "not-infusing"
	HL7Alarm       Kind = "hl7.alarm"          // the device has an alarm: "yes"

	DICOMAETitle   Kind = "dicom.ae_title"           // calling, of the caller
	DICOMCalledAs  Kind = "dicom.ae_title_called_as" // called, of the called
	DICOMImplUID   Kind = "dicom.impl_class_uid"
	DICOMImplVer   Kind = "dicom.impl_version"
	DICOMProposes  Kind = "dicom.scu_proposes" // abstract syntax UID it proposed as caller
	DICOMAccepts   Kind = "dicom.scp_accepts"  // abstract syntax UID it accepted as called
	DICOMReceives  Kind = "dicom.scu_receives" // abstract syntax UID of what it, as caller, wants to be sent (C-GET)
	DICOMStores    Kind = "dicom.stores"       // storage class of a dataset that it sent
	DICOMPerforms  Kind = "dicom.performs"     // tells of a procedure that is performed (MPPS): "yes"
	DICOMRejects   Kind = "dicom.rejects"      // result/source/reason with which it refused an association
	DICOMTransfers Kind = "dicom.p_data"       // sends P-DATA (association not seen): "yes"

	BCCModel      Kind = "bcc.model" // type number of a pump, GNMODEL or GNNEW
	BCCNumber     Kind = "bcc.number"
	BCCTypeNumber Kind = "bcc.type_number"
	BCCSerial     Kind = "bcc.serial"
	BCCVersion    Kind = "bcc.version" // of the rack's computer
	BCCState      Kind = "bcc.state"   // of the busiest pump: "active", "kvo", "standby", "ready", "on", "off"
	BCCClient     Kind = "bcc.client"  // asks a rack of pumps: "yes"

	MedibusModel   Kind = "medibus.model"
	MedibusID      Kind = "medibus.id" // number of the device type
	MedibusVersion Kind = "medibus.version"
	MedibusDevice  Kind = "medibus.device" // answers with data: "yes"
	MedibusClient  Kind = "medibus.client" // asks for data: "yes"
	MedibusState   Kind = "medibus.state"  // "standby", "operating"

	ASTMSender   Kind = "astm.sender" // H-5
	ASTMVersion  Kind = "astm.version"
	ASTMSerial   Kind = "astm.serial"
	ASTMStandard Kind = "astm.standard" // H-13
	ASTMSends    Kind = "astm.sends"    // "results", "queries", "orders"

	POCTVendor   Kind = "poct1a.vendor"
	POCTModel    Kind = "poct1a.model"
	POCTSerial   Kind = "poct1a.serial"
	POCTDeviceID Kind = "poct1a.device_id"
	POCTMaker    Kind = "poct1a.maker"
	POCTHardware Kind = "poct1a.hardware"
	POCTSoftware Kind = "poct1a.software"
	POCTName     Kind = "poct1a.name"
	POCTSends    Kind = "poct1a.sends" // name of a message: "OBS.R01"
	POCTState    Kind = "poct1a.state" // "ready", "not-ready"

	AsenaSerial   Kind = "asena.serial"
	AsenaProtocol Kind = "asena.protocol" // and its version
	AS50Device    Kind = "as50.device"    // answers in the way of a Baxter AS50: "yes"
	PB840ID       Kind = "pb840.id"       // type and number of the ventilator
	MasimoSerial  Kind = "masimo.serial"

	IVModel  Kind = "intellivue.model" // ID_MODEL, the model number
	IVMaker  Kind = "intellivue.maker"
	IVSerial Kind = "intellivue.serial"
	IVFW     Kind = "intellivue.software" // application software revision
	IVType   Kind = "intellivue.sys_type" // MDC code of the system, hexadecimal
	IVClient Kind = "intellivue.client"   // opens data export associations: "yes"
	IVSystem Kind = "intellivue.system_id"
	IVMode   Kind = "intellivue.mode"   // "monitoring", "standby", "demo", "service", "config"
	IVSends  Kind = "intellivue.sends"  // "indication"; to who polls it: "values", "waves", "nothing"
	IVInUse  Kind = "intellivue.in_use" // a patient is admitted, whoever it is: "yes", "no"

	WSDTypes    Kind = "wsd.types"       // as announced, with their prefixes
	WSDDevice   Kind = "wsd.device"      // what they mean: "sdc-provider", "camera", "computer", "printer", "scanner", "device"
	WSDScopes   Kind = "wsd.scopes"      // the allowed ones: never places, people, tasks
	WSDCode     Kind = "wsd.device_code" // code of ISO/IEEE 11073-10101 in a scope
	WSDEndpoint Kind = "wsd.endpoint"    // urn:uuid:…
	WSDAddress  Kind = "wsd.xaddrs"      // scheme, IP address, port
	WSDLeaves   Kind = "wsd.leaves"      // it says goodbye: "yes"

	DPWSMaker       Kind = "dpws.maker"
	DPWSModel       Kind = "dpws.model"
	DPWSModelNumber Kind = "dpws.model_number"
	DPWSFW          Kind = "dpws.fw"
	DPWSSerial      Kind = "dpws.serial"
	SDCLot          Kind = "sdc.lot"
	SDCUDI          Kind = "sdc.udi"
	SDCType         Kind = "sdc.mds_type"   // code of ISO/IEEE 11073-10101
	SDCMode         Kind = "sdc.mode"       // "normal", "demo", "service", "maintenance"
	SDCActivation   Kind = "sdc.activation" // "on", "not-ready", "stand-by", "off", "shut-down", "failure"
	SDCInUse        Kind = "sdc.in_use"     // a patient is associated, whoever it is: "yes", "no"

	UnityRWHAT    Kind = "unity.rwhat"    // a monitor of the GE Unity network: "yes"
	UnityServices Kind = "unity.services" // service/port, comma
	UnitySends    Kind = "unity.sends"    // "vitals", "alarm"
	UnityClient   Kind = "unity.client"   // takes the vitals of a monitor: "yes"

	DRIRecord Kind = "dri.record"      // "values", "wave", "alarm", "network", "fo"
	DRILevel  Kind = "dri.level"       // of the interface: 2 is of 1995, 11 of 2015
	DRIDevice Kind = "dri.device_type" // of a registration in the network
	DRIMAC    Kind = "dri.mac"

	MindrayIndicates Kind = "mindray.indication" // tells the network that it is there: "yes"
	MindraySends     Kind = "mindray.sends"      // "heartbeat" (of either side), "values", "pressure", "waves"

	PHDSystem  Kind = "phd.system_id"
	PHDConfig  Kind = "phd.config" // id of the configuration
	PHDMaker   Kind = "phd.maker"
	PHDModel   Kind = "phd.model"
	PHDSerial  Kind = "phd.serial"
	PHDFW      Kind = "phd.fw"
	PHDProfile Kind = "phd.profile" // specialization, such as 4100 for a pulse oximeter
	PHDReports Kind = "phd.reports" // measurements came: "yes"
	PHDManager Kind = "phd.manager" // manages such devices: "yes"

	RTLSReader Kind = "rtls.reader" // hears radio tags for an engine that locates them: "aeroscout"
	RTLSEngine Kind = "rtls.engine" // locates them: "aeroscout"

	SerialServer Kind = "serial.server" // answers as a serial device server: "digi", "moxa", "lantronix"
	ADDPProduct  Kind = "addp.product"
	ADDPFW       Kind = "addp.fw"
	ADDPPorts    Kind = "addp.ports" // serial ports
	MoxaModel    Kind = "moxa.model" // digits: "5110"

	NDPRouter   Kind = "ndp.router"     // sends router advertisements: "yes"
	Serves      Kind = "service.serves" // "tcp/104": it answered there
	Uses        Kind = "service.uses"   // "tcp/104": it opened one there and was answered
	MulticastTo Kind = "service.group"  // "udp/5353 224.0.0.251": it sends to a group
)
