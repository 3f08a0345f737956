package dissect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestEveryMessageHasACanary: a message type that is decoded is tried with
// canaries, and is among those that must be closed.
func TestEveryMessageHasACanary(t *testing.T) {
	decoded := make(map[string]bool) // type names
	tried := make(map[string]bool)   // identifiers in canary tests
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
			switch {
			case !ok:
			case f.Recv != nil && strings.HasPrefix(f.Name.Name, "Decode"):
				if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
					decoded[star.X.(*ast.Ident).Name] = true
				}
			case strings.HasPrefix(f.Name.Name, "TestCanary"):
				identifiers(f, tried)
			case f.Name.Name == "TestMessagesAreClosed":
				identifiers(f, closed)
			}
		}
	}
	delete(decoded, "View") // the headers, which borrow the frame
	for name := range decoded {
		if !tried[name] {
			t.Errorf("%s: no TestCanary decodes one with a canary in every field that must not get out", name)
		}
		if !closed[name] {
			t.Errorf("%s: not in TestMessagesAreClosed", name)
		}
	}
	if len(decoded) < 10 {
		t.Errorf("only %d messages found", len(decoded))
	}
}

func identifiers(f *ast.FuncDecl, into map[string]bool) {
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
