package agent

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// faultTests names for each trouble that platform/fake can make the tests that
// fail where the product does not handle it. Knobs that are no trouble are in
// harmless.
func faultTests() map[string]string {
	const (
		firewall = "agent/protect/enforce TestFaultsAtEveryStep"
		whole    = "agent "
	)
	return map[string]string{
		"LostAck":                  firewall,
		"LostRequest":              firewall,
		"Refused":                  firewall,
		"TooLarge":                 firewall,
		"Truncated":                firewall,
		"OverlapLost":              "agent/protect/policy TestOverlapLostTakesNothing",
		"ForeignFlush":             firewall,
		"FailedRead":               firewall,
		"StaleRead":                firewall,
		"Firewall.FlushRuleset":    "agent/protect/enforce TestForeignFlushIsRepaired",
		"Firewall.BridgeNetfilter": "agent/protect/policy TestTrap01PriorityZeroIsBypassed",
		"Ports.Remove":             whole + "TestPortVanishesAndReturns",
		"Ports.RefuseCapture":      whole + "TestRefusedCapture",
		"Ports.Lose":               whole + "TestLostFramesAreSaid",
		"Ports.Change":             whole + "TestCheckSaysWhatIsWrong",
		"Disk.Set":                 whole + "TestDiskTroubleIsSaid",
		"Disk.Fail":                whole + "TestDiskTroubleIsSaid",
		"Clock.Jump":               whole + "TestClockJumps",
		"Clock.Set":                whole + "TestBoxWithoutAClock",
		"Clock.SetSynced":          whole + "TestBoxWithoutAClock",
		"Clock.Reboot":             whole + "TestBoxWithoutAClock",
		"Self.Fail":                whole + "TestPreflightThatCannotRun",
		"Line.Stick":               whole + "TestConsoleTroubleHoldsNobody",
		"Line.HangUp":              whole + "TestConsoleTroubleHoldsNobody",
		"Line.Break":               "agent/operate/console TestBreakStartsOver",
	}
}

// harmless are the exported methods of the fake that tests need and that go
// wrong for nobody; the rest of its methods are those of platform's interfaces.
func harmless() []string {
	return []string{"Host.Host", "Firewall.Peer", "Firewall.Transactions", "Firewall.Inject", "Firewall.Pending", "Firewall.Decide",
		"Bridge.Firewall", "Bridge.Send", "Bridge.Receive", "Bridge.Advance", "Ports.Add", "Ports.Inject", "Clock.Advance", "Self.Register", "Serial.Add", "Line.SetReadDeadline"}
}

// A fault that no test injects is a handling that nobody would miss.
func TestEachFaultHasItsTest(t *testing.T) {
	tests := make(map[string]bool)
	interfaces := make(map[string]bool) // methods
	var knobs []string
	for _, s := range load(t).files {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case ok && s.test && f.Recv == nil:
				tests[s.dir+" "+f.Name.Name] = true
			case s.test:
			case s.dir == "platform":
				methods(d, interfaces)
			case s.dir == "platform/fake" && ok:
				if on := receiver(f); ast.IsExported(on) && f.Name.IsExported() {
					knobs = append(knobs, on+"."+f.Name.Name)
				}
			case s.dir == "platform/fake":
				knobs = append(knobs, faultNames(d)...)
			}
		}
	}
	want := faultTests()
	for _, k := range knobs {
		_, method, _ := strings.Cut(k, ".")
		if _, known := want[k]; !known && !slices.Contains(harmless(), k) && !interfaces[method] && method != "Read" && method != "Write" {
			t.Errorf("platform/fake can do %s, and faultTests names no test: a fault without a test is a handling that nobody would miss", k)
		}
	}
	for k, test := range want {
		if !slices.Contains(knobs, k) {
			t.Errorf("faultTests names %s, which platform/fake cannot do", k)
		}
		if !tests[test] {
			t.Errorf("%s: there is no test %s", k, test)
		}
	}
}

// methods notes the methods of the interfaces that are declared.
func methods(d ast.Decl, into map[string]bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		if i, ok := n.(*ast.InterfaceType); ok {
			for _, m := range i.Methods.List {
				for _, name := range m.Names {
					into[name.Name] = true
				}
			}
		}
		return true
	})
}

// receiver is the type of a method, "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	on := f.Recv.List[0].Type
	if p, ok := on.(*ast.StarExpr); ok {
		on = p.X
	}
	if id, ok := on.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// faultNames are the constants of type Fault: the first of their group names it.
func faultNames(d ast.Decl) (out []string) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return nil
	}
	if id, ok := g.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident); !ok || id.Name != "Fault" {
		return nil
	}
	for _, s := range g.Specs {
		out = append(out, s.(*ast.ValueSpec).Names[0].Name)
	}
	return out
}
