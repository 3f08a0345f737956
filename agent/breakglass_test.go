package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// acts are the audited acts that reached the broker, as "break-glass console".
func (g *gateway) acts() []string {
	g.t.Helper()
	g.wait(10 * time.Second)
	out := []string{}
	for _, e := range g.broker.events(g.t) {
		if e.Kind != (event.Act{}).Kind() {
			continue
		}
		if e.Class != "audit" {
			g.t.Errorf("an act of class %s", e.Class)
		}
		var a event.Act
		if err := json.Unmarshal(e.Body, &a); err != nil {
			g.t.Fatal(err)
		}
		if a.Seconds > 0 && a.Until.IsZero() {
			g.t.Errorf("%+v has no end", a)
		}
		out = append(out, a.Act+" "+a.Who)
	}
	return slices.Compact(out) // at least once
}

// TestBreakGlassAtTheConsole: a person with a cable opens the gateway; with the
// agent dead it stays open for its time and no longer, and who did it is told.
func TestBreakGlassAtTheConsole(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		if g.reachesPump() {
			t.Fatal("a stranger reaches the pump: the test proves nothing")
		}
		g.shows("break-glass 10", "type open to do it:")
		if g.reachesPump() {
			t.Error("open before the question was answered")
		}
		g.shows("open", "OPEN for 10 min")
		opened := time.Now()
		if !g.reachesPump() {
			t.Error("it is not open")
		}
		g.wait(3 * time.Second)
		if diff := cmp.Diff([]string{"break-glass"}, g.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		g.shows("show status", "BREAK-GLASS: everything passes, for 9 min", "works, with 1 warning")
		g.shows("show policy", "BREAK-GLASS: everything passes, for 9 min")
		if diff := cmp.Diff([]string{"break-glass console"}, g.acts()); diff != "" {
			t.Errorf("audit (-want +got):\n%s", diff)
		}
		g.stop()
		g.wait(time.Until(opened.Add(10*time.Minute - 5*time.Second))) // show takes two seconds
		if !g.reachesPump() {
			t.Error("it closed with the agent")
		}
		g.wait(5 * time.Second)
		if g.reachesPump() {
			t.Error("it is open after its time")
		}
		g.start()
		if strings.Contains(g.show("show status"), "BREAK-GLASS") || g.reachesPump() {
			t.Error("the next agent takes it for open")
		}
	})
}

// TestBreakGlassEndsUnderTheAgent: the end is told, and off closes at once.
func TestBreakGlassEndsUnderTheAgent(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.show("break-glass 1")
		g.show("open")
		g.wait(time.Minute)
		if g.reachesPump() || len(g.conditions()) > 0 {
			t.Errorf("after its time: open %v, conditions %v", g.reachesPump(), g.conditions())
		}
		g.show("break-glass 60")
		g.show("open")
		if !g.reachesPump() {
			t.Error("it is not open again")
		}
		g.shows("break-glass off", "Closed")
		if g.reachesPump() {
			t.Error("off does not close it")
		}
		want := []string{"break-glass console", "break-glass-ended kernel", "break-glass console", "break-glass-off console"}
		if diff := cmp.Diff(want, g.acts()); diff != "" {
			t.Errorf("audit (-want +got):\n%s", diff)
		}
	})
}

// TestConsoleTellsOfTheBox: what it runs on, its time, its log; and codes are
// audited without being told.
func TestConsoleTellsOfTheBox(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.by.Rescue = "record of version 9"
		g.start()
		g.shows("show firmware", "slot      not known", "agent     test", "rescue    no") // it was, until the rules were in place
		g.shows("show clock", "quality   ntp", "synced    yes", "boot      00000000-")
		g.shows("show log", "record of version 9", `msg="rescue is over: rules are in place"`)
		answer := g.show("show code gw1")
		at := strings.Index(answer, "code      ")
		if at < 0 {
			t.Fatal(answer)
		}
		code := answer[at+10 : at+19]
		if diff := cmp.Diff([]string{"code console"}, g.acts()); diff != "" {
			t.Errorf("audit (-want +got):\n%s", diff)
		}
		_, payloads := g.broker.payloads(t)
		for _, p := range append(payloads, []byte(g.log.String())) {
			if strings.Contains(string(p), code) || strings.Contains(string(p), strings.ReplaceAll(code, "-", "")) {
				t.Errorf("the code is told: %s", p)
			}
		}
	})
}

// TestCheckTellsWhoMayBreakTheGlass: who reviews a gateway's files sees it.
func TestCheckTellsWhoMayBreakTheGlass(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		for mode, want := range map[string]string{"open": "console: ttyS0, break-glass open\n", "challenge": "console: ttyS0, break-glass challenge\n", "": "console: none\n"} {
			cfg := g.config()
			if cfg.Console.BreakGlass = mode; mode == "" {
				cfg.Console.Device = ""
			}
			var said strings.Builder
			if err := Check(cfg, g.platform(), &said); err != nil || !strings.Contains(said.String(), want) {
				t.Errorf("%q: error %v, said %s", mode, err, said.String())
			}
		}
	})
}

// TestBreakGlassAsTheSiteSays: the configuration reaches the console.
func TestBreakGlassAsTheSiteSays(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		text, err := os.ReadFile(filepath.Join(g.dir, "wardkeeper.toml"))
		if err != nil {
			t.Fatal(err)
		}
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), strings.Replace(string(text), "[console]\n", "[console]\nbreak_glass = \"off\"\n", 1))
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.shows("break-glass 10", "Refused: break-glass at the console is switched off")
		g.show("open")
		if g.reachesPump() {
			t.Error("it is open")
		}
		if diff := cmp.Diff([]string{}, g.acts()); diff != "" {
			t.Errorf("audit (-want +got):\n%s", diff)
		}
	})
}
