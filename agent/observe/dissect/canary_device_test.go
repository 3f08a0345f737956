package dissect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"strings"
	"testing"
)

// TestEveryMessageIsTried: a message type that is decoded is tried with canaries,
// with what a hostile sender sends and by a fuzz target that looks at all that it
// answers, has a benchmark, and is among those that must be closed.
func TestEveryMessageIsTried(t *testing.T) {
	decoded := make(map[string]bool) // type names
	tried := make(map[string]bool)   // identifiers in canary tests
	hostile := make(map[string]bool) // in tests that call recognised or hostile
	fuzzed := make(map[string]bool)  // in fuzz targets that call checkMessage
	timed := make(map[string]bool)   // in benchmarks
	closed := make(map[string]bool)  // identifiers in TestMessagesAreClosed
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil {
				in := make(map[string]bool)
				identifiers(f.Body, in)
				if in["recognised"] || in["hostile"] || in["hostileMessage"] {
					maps.Copy(hostile, in)
				}
				if strings.HasPrefix(f.Name.Name, "Fuzz") && in["checkMessage"] {
					maps.Copy(fuzzed, in)
				}
				if strings.HasPrefix(f.Name.Name, "Benchmark") {
					maps.Copy(timed, in)
				}
			}
			switch {
			case !ok:
			case f.Recv != nil && strings.HasPrefix(f.Name.Name, "Decode"):
				if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
					decoded[star.X.(*ast.Ident).Name] = true
				}
			case strings.HasPrefix(f.Name.Name, "TestCanary"):
				identifiers(f.Body, tried)
			case f.Name.Name == "TestMessagesAreClosed":
				identifiers(f.Body, closed)
			}
		}
	}
	delete(decoded, "View") // the headers, which borrow the frame
	for name := range decoded {
		if !tried[name] {
			t.Errorf("%s: no TestCanary decodes one with a canary in every field that must not get out", name)
		}
		if !hostile[name] {
			t.Errorf("%s: no test tries one by recognised or hostile", name)
		}
		if !fuzzed[name] {
			t.Errorf("%s: no fuzz target decodes one and calls checkMessage", name)
		}
		if !timed[name] {
			t.Errorf("%s: no benchmark says what one costs", name)
		}
		if !closed[name] {
			t.Errorf("%s: not in TestMessagesAreClosed", name)
		}
	}
	if len(decoded) < 10 {
		t.Errorf("only %d messages found", len(decoded))
	}
}

func identifiers(f ast.Node, into map[string]bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			into[id.Name] = true
		}
		return true
	})
}

func TestCanaryWSDiscovery(t *testing.T) {
	var k marker
	scopes := "sdc.mds.pkp:Allowed sdc.cdc.type:///Allowed"
	for _, s := range []string{"sdc.ctxt.loc:/x/", "sdc.ctxt.opr:/", "sdc.ctxt.ens:/", "sdc.ctxt.wfl:/", "sdc.ctxt.mns:/", "onvif://www.onvif.org/name/", "onvif://www.onvif.org/location/", "http://", "sdc.mds.pkp:x?"} {
		scopes += " " + s + k.next()
	}
	b := wsd(wsd2009, "<wsd:Hello a='"+k.next()+"'><wsd:AppSequence InstanceId='"+k.next()+"'/>"+epr(uuid)+epr("urn:uuid:"+k.next())+k.next()+"<wsd:Types b='"+k.next()+"'>x:Allowed "+k.next()+"@y</wsd:Types><wsd:Scopes>"+scopes+"</wsd:Scopes>"+
		"<wsd:XAddrs>https://192.0.2.7:1/"+k.next()+" http://"+k.next()+"/ http://"+k.next()+":"+k.next()+"@192.0.2.1/</wsd:XAddrs><wsd:Other>"+k.next()+"</wsd:Other><!-- <wsd:Types>"+k.next()+"</wsd:Types> --></wsd:Hello>"+
		"<wsd:Types><x>"+k.next()+"</x></wsd:Types>"+k.next())
	checkCanaries(t, (*WSDiscovery).Decode, canary{"hello", b, 3})
}

func TestCanarySDC(t *testing.T) {
	var k marker
	fill := func(names string) (out string) {
		for _, n := range strings.Fields(names) {
			out += "<p:" + n + " a='" + k.next() + "'>" + k.next() + "</p:" + n + ">"
		}
		return out
	}
	patient := fill("Givenname Middlename Familyname Birthname Title Sex DateOfBirth Height Weight Race Identification Extension") + "<p:Identification Root='" + k.next() + "' Extension='" + k.next() + "'/>"
	const root = `<p:R xmlns:p="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`
	metadata := root + "<p:ThisModel><p:Manufacturer>Allowed</p:Manufacturer><p:ModelName>Allowed</p:ModelName><p:ModelNumber>Allowed</p:ModelNumber>" + fill("SerialNumber ManufacturerUrl ModelUrl PresentationUrl FirmwareVersion x") +
		"<p:x><p:Manufacturer>" + k.next() + "</p:Manufacturer></p:x></p:ThisModel><p:ThisDevice><p:FirmwareVersion>Allowed</p:FirmwareVersion><p:SerialNumber>Allowed</p:SerialNumber>" + fill("FriendlyName ModelName Manufacturer LotNumber") + "</p:ThisDevice>" + k.next()
	mdib := root + "<p:Mds Handle='" + k.next() + "'><p:Type Code='" + k.next() + "' CodingSystem='" + k.next() + "'>" + fill("ConceptDescription") + "</p:Type><p:MetaData><p:Udi><p:DeviceIdentifier>Allowed</p:DeviceIdentifier>" +
		fill("HumanReadableForm Issuer") + "</p:Udi><p:LotNumber>Allowed</p:LotNumber><p:Manufacturer>Allowed</p:Manufacturer><p:ModelName>Allowed</p:ModelName><p:ModelNumber>Allowed</p:ModelNumber><p:SerialNumber>Allowed</p:SerialNumber>" +
		fill("ExpirationDate ManufactureDate FirmwareVersion x DeviceIdentifier") + "</p:MetaData>" + fill("Manufacturer ModelName SerialNumber ProductionSpec Unit") + "<p:Vmd><p:Type Code='" + k.next() + "'/></p:Vmd></p:Mds>" +
		"<p:State xsi:type='MdsState' OperatingMode='" + k.next() + "' ActivationState='" + k.next() + "' Lang='" + k.next() + "'/><p:State xsi:type='PatientContextState' ContextAssociation='" + k.next() + "'>" + patient + "</p:State>" +
		"<p:State xsi:type='OperatorContextState'>" + patient + "</p:State><p:State xsi:type='" + k.next() + "'><p:MetricValue Value='" + k.next() + "'/></p:State>" + k.next()
	checkCanaries(t, (*SDC).DecodeXML, canary{"metadata", []byte(metadata), 5}, canary{"description", []byte(mdib), 6})
}

func TestCanaryUnity(t *testing.T) {
	var k marker
	at := []byte(rwhat("ICU|"+k.next()+"\x00"+k.next()+","+k.next(), 3, 2000))
	message := unityMessage(0xc9, 0x14, k.next())
	copy(message[24:], k.next()+k.next())
	checkCanaries(t, (*Unity).Decode, canary{"RWHAT", at, 0}, canary{"vitals", message, 0})
}

func TestCanaryMindray(t *testing.T) {
	var k marker
	b := "MSH|^~\\&|Allowed|Allowed|Allowed|Allowed|" + k.next() + "|" + k.next() + "|ADT^A01|" + k.next() + "|P|2.3.1|" + k.next() + "|" + k.next()
	for _, s := range strings.Fields("PID PV1 NK1 OBX PRT SFT EQU ZMW") {
		b += "\r" + k.fields(s, 30, nil)
	}
	checkCanaries(t, (*Mindray).Decode, canary{"indication", []byte(b), 2})
}

func TestCanaryDRI(t *testing.T) {
	var k marker
	decode := done((*DRI).DecodeStream)
	checkCanaries(t, decode, canary{"network", dri(5, 8, "\x06"+k.next(), "\x00\x00\x40\x97\x00\x00\x01\x0a\x00\x08\x00"+k.next(), "\x0a"+k.next()), 0}, canary{"values", dri(0, 8, "\x00"+k.next(), "\x01"+k.next()), 0},
		canary{"waves", dri(1, 8, "\x01"+k.next()), 0}, canary{"alarms", dri(4, 8, "\x01"+k.next()), 0}, canary{"record", dri(8, 8, "\x01"+k.next()), 0})
}

func TestCanaryPHD(t *testing.T) {
	var k marker
	decode := done((*PHD).DecodeStream)
	label := func(s string) string { return string(block16([]byte(s))) }
	attributes := []string{"\x09\x28" + label("Allowed\x00"+k.next()) + label("Allowed"), "\x09\x2d\x00\x03\x00\x00\x00\x01\x00\x00" + label("Allowed") + "\x00\x05\x00\x00" + label("Allowed") + "\x00\x07\x00\x00" + label(k.next())}
	for _, id := range []string{"\x09\x84", "\x0a\x44", "\x0a\x4b", "\x09\x87", "\x09\x9c", "\x0a\x5b", "\x09\x90"} { // too long for what they are, or never read
		attributes = append(attributes, id+k.next())
	}
	checkCanaries(t, decode, canary{"attributes", phdAttributes(0, attributes...), 4}, canary{"attributes of a store", phdAttributes(7, attributes...), 0}, canary{"report", phdData(phdCEvent, k.next()), 0},
		canary{"association", phdAssociation("\xff\xff"+label(k.next())+"\x50\x79"+label(phdPart("\x00\x80\x00\x00", "\x01\x90")+k.next()), 2), 0})
}

func TestCanarySerialServers(t *testing.T) {
	var k marker
	checkCanaries(t, (*ADDP).Decode, canary{"ADDP", addp(2, "\x01\x00\x40\x9d\x00\x00\x01", "\x01"+k.next(), "\x04"+k.next(), "\x06"+k.next(), "\x08Allowed", "\x0dAllowed", "\x12"+k.next(), "\x1a"+k.next()), 2})
	moxa := moxaAnswer("\x00\x90\xe8\x00\x00\x01" + k.next())
	moxa[3] = byte(len(moxa))
	checkCanaries(t, func(m *Moxa, b []byte) bool { *m = Moxa{}; return m.Decode(b) }, canary{"Moxa", moxa, 0})
	checkCanaries(t, func(m *Lantronix, b []byte) bool { *m = Lantronix{}; return m.Decode(b) }, canary{"Lantronix", []byte("\x00\x00\x00\xf7" + k.next()), 0})
}

func TestCanaryIntelliVueCreate(t *testing.T) {
	var k marker
	label := func(s string) string { return string(block16([]byte(s))) }
	attributes := []string{"\x09\x28" + label("Allowed") + label("Allowed")}
	for _, id := range []string{"\x09\x1e", "\x09\x46", "\x09\xa7", "\x09\x57", "\x09\x5d", "\x09\x0d", "\x09\x1d", "\xf0\x01"} {
		attributes = append(attributes, id+k.next())
	}
	checkCanaries(t, (*IntelliVue).Decode, canary{"create event", mdsCreate(attributes...), 2})
}
