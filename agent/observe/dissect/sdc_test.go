package dissect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sdcMetadata answers a WS-Transfer Get, in the words of sdc11073.
const sdcMetadata = `<?xml version="1.0"?><s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"><s12:Body>` +
	`<wsx:Metadata><wsx:MetadataSection><dpws:ThisModel><dpws:Manufacturer xml:lang="en">Pump &amp; Co</dpws:Manufacturer><dpws:ManufacturerUrl>http://x</dpws:ManufacturerUrl>` +
	`<dpws:ModelName>Flow 9</dpws:ModelName><dpws:ModelNumber>F9-01</dpws:ModelNumber></dpws:ThisModel></wsx:MetadataSection>` +
	`<wsx:MetadataSection><dpws:ThisDevice><dpws:FriendlyName>Bed 7</dpws:FriendlyName><dpws:FirmwareVersion>2.1</dpws:FirmwareVersion><dpws:SerialNumber>SN12</dpws:SerialNumber></dpws:ThisDevice>` +
	`</wsx:MetadataSection></wsx:Metadata></s12:Body></s12:Envelope>`

// sdcMDIB answers a GetMdib.
const sdcMDIB = `<msg:GetMdibResponse xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" ` +
	`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><msg:Mdib><pm:MdDescription><pm:Mds Handle="m"><pm:Type Code="69985"><pm:ConceptDescription>a pump</pm:ConceptDescription></pm:Type>` +
	`<pm:MetaData><pm:Udi><pm:DeviceIdentifier>04046955000012</pm:DeviceIdentifier><pm:HumanReadableForm>(01)04046955000012</pm:HumanReadableForm></pm:Udi><pm:LotNumber>L3</pm:LotNumber>` +
	`<pm:Manufacturer>Pump</pm:Manufacturer><pm:ModelName>Flow</pm:ModelName><pm:ModelNumber>9</pm:ModelNumber><pm:SerialNumber>SN13</pm:SerialNumber></pm:MetaData>` +
	`<pm:Vmd><pm:Type Code="1"/></pm:Vmd></pm:Mds><pm:Mds><pm:Type Code="5" CodingSystem="urn:oid:1.2"/></pm:Mds></pm:MdDescription>` +
	`<pm:MdState><pm:State xsi:type="pm:MdsState" OperatingMode="Srv" ActivationState="StndBy"/><pm:State xsi:type="pm:PatientContextState" ContextAssociation="Assoc">` +
	`<pm:CoreData><pm:Givenname>Jane</pm:Givenname></pm:CoreData></pm:State></pm:MdState></msg:Mdib></msg:GetMdibResponse>`

// TestSDCOfSeveral: where one of several devices is on, what speaks for all is.
func TestSDCOfSeveral(t *testing.T) {
	for states, want := range map[string]SDCActivation{"On StndBy": SDCOn, "StndBy On Off": SDCOn, "StndBy Off": SDCOff, "Off x": SDCOff} {
		doc := `<E xmlns:p="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" xmlns:i="x">`
		for s := range strings.FieldsSeq(states) {
			doc += `<p:State i:type="p:MdsState" ActivationState="` + s + `"/>`
		}
		var m SDC
		if !m.DecodeXML([]byte(doc+"</E>")) || m.Activation != want {
			t.Errorf("%s: %q, want %q", states, m.Activation, want)
		}
	}
}

func TestSDC(t *testing.T) {
	tests := []struct {
		name, doc string
		want      SDC
	}{
		{"metadata", sdcMetadata, SDC{Manufacturer: TextOf("Pump & Co"), Model: TextOf("Flow 9"), ModelNumber: TextOf("F9-01"), Firmware: TextOf("2.1"), Serial: TextOf("SN12")}},
		{"description and states", sdcMDIB, SDC{Manufacturer: TextOf("Pump"), Model: TextOf("Flow"), ModelNumber: TextOf("9"), Serial: TextOf("SN13"), Lot: TextOf("L3"), UDI: TextOf("04046955000012"),
			Codes: [4]uint32{69985}, CodesLen: 1, Mode: SDCService, Activation: SDCStandBy, Patient: SDCAssociated}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := SDC{Lot: TextOf("left over")}
			if !m.DecodeXML([]byte(tt.doc)) {
				t.Fatal("not recognised")
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			for i := range tt.doc { // of each beginning only whole fields
				m.DecodeXML([]byte(tt.doc[:i]))
				for _, f := range [][2]Text{{m.Manufacturer, tt.want.Manufacturer}, {m.Model, tt.want.Model}, {m.Serial, tt.want.Serial}, {m.UDI, tt.want.UDI}} {
					if f[0] != f[1] && !f[0].IsZero() {
						t.Fatalf("%d bytes: %q", i, f[0])
					}
				}
			}
		})
	}
	for _, doc := range []string{"", "<html/>", "<a xmlns='http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01'/>"} {
		if new(SDC).DecodeXML([]byte(doc)) {
			t.Errorf("%.40q: recognised", doc)
		}
	}
}

// TestSDCAssociation: contexts of former patients stay beside that of the present
// one, in no order.
func TestSDCAssociation(t *testing.T) {
	for in, want := range map[string]SDCPatient{
		"Assoc Dis": SDCAssociated, "Dis Assoc": SDCAssociated, "Dis No": SDCNotAssociated, "Pre": SDCNotAssociated, "Other": 0,
	} {
		doc := `<r xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant">`
		for _, association := range strings.Fields(in) {
			doc += `<pm:ContextState xsi:type="pm:PatientContextState" ContextAssociation="` + association + `"/>`
		}
		var m SDC
		m.DecodeXML([]byte(doc + "</r>"))
		if m.Patient != want {
			t.Errorf("%s: %d, want %d", in, m.Patient, want)
		}
	}
}

// TestSDCOutsideOfSections: nothing is read where no section is open, however
// the tags are nested.
func TestSDCOutsideOfSections(t *testing.T) {
	for _, ends := range []string{"", "</r>", "</r></r>", "</r></r></r>"} {
		doc := `<r xmlns:pm="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant">` + ends + "<SerialNumber>CANARY</SerialNumber>"
		if m := new(SDC); m.DecodeXML([]byte(doc)) {
			t.Errorf("%s: serial %q", ends, m.Serial)
		}
	}
}

// TestSDCCorpus reads the published descriptions of test devices.
func TestSDCCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS is not set: no descriptions to read")
	}
	for name, want := range map[string]SDC{
		"tests_70041_MDIB_Final.xml": {CodesLen: 1, Codes: [4]uint32{70041}, Manufacturer: TextOf("Dr_gerwerk AG & Co. KGaA"), Model: TextOf("A3XX"), ModelNumber: TextOf("01.00"), UDI: TextOf("device")},
		"tests_70041_MDIB_multi.xml": {CodesLen: 1, Codes: [4]uint32{70041}, Manufacturer: TextOf("Dr_gerwerk AG & Co. KGaA"), Model: TextOf("A3XX"), ModelNumber: TextOf("01.00"), UDI: TextOf("device")},
		"tests_mdib_tns.xml":         {CodesLen: 1, Codes: [4]uint32{130535}},
		"tests_reference_mdib.xml":   {CodesLen: 1, Codes: [4]uint32{130535}},
		"tutorial_provider_mdib.xml": {CodesLen: 1, Codes: [4]uint32{130535}},
	} {
		b, err := os.ReadFile(filepath.Join(dir, "data", "sdc-mdib", name))
		if err != nil {
			t.Fatal(err)
		}
		var m SDC
		m.DecodeXML(b)
		m.Mode, m.Activation, m.Patient = 0, 0, 0
		if d := cmp.Diff(want, m, exported); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}

func TestSDCAllocs(t *testing.T) {
	b, m := []byte(sdcMDIB), new(SDC)
	noAllocs(t, func() { m.DecodeXML(b) })
}

func FuzzSDC(f *testing.F) {
	f.Add(sdcMetadata)
	f.Add(sdcMDIB)
	f.Fuzz(func(t *testing.T, doc string) {
		var m SDC
		m.DecodeXML([]byte(doc))
		checkMessage(t, &m)
	})
}
