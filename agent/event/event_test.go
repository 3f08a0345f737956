package event

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
)

// The envelope is a contract with every collector: its bytes are pinned.
func TestSeal(t *testing.T) {
	at := clock.Stamp{Wall: time.Date(2026, 11, 24, 19, 0, 0, 5e6, time.FixedZone("x", 3600)), Mono: 1500 * time.Millisecond, BootID: "b1", Quality: clock.NTP}
	env, err := Seal(Event{Class: Alert, At: at, Body: Warning{Signal: "store.reset", Text: "t", Advice: "a"}}, "st-mary", "7b", "e1", 42)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"v":1,"site":"st-mary","gw":"7b","epoch":"e1","class":"alert","seq":42,"kind":"alert","boot_id":"b1","mono_ms":1500,` +
		`"time":"2026-11-24T18:00:00.005Z","time_quality":"ntp","historical":false,"body":{"signal":"store.reset","text":"t","advice":"a"}}`
	if string(got) != want {
		t.Errorf("envelope\n got %s\nwant %s", got, want)
	}
}

func TestClasses(t *testing.T) {
	for _, c := range Classes() {
		got, err := ParseClass(c.String())
		if err != nil || got != c {
			t.Errorf("ParseClass(%q) = %v, %v", c, got, err)
		}
	}
	if _, err := ParseClass("invalid"); err == nil || err.Error() != `event class "invalid": want audit, alert, state, event or telemetry` {
		t.Errorf("ParseClass(invalid): %v", err)
	}
}

// Enums go to the wire and to disk by name, never by number.
func TestInventoryNames(t *testing.T) {
	b, err := json.Marshal(Inventory{Device: "x", Identity: device.Identity{Role: "patient-monitor", Class: device.LifeSustaining, Confidence: device.Confirmed}})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	id := m["identity"].(map[string]any)
	want := map[string]any{"role": "patient-monitor", "safety_class": "life-sustaining", "confidence": "confirmed"}
	got := map[string]any{"role": id["role"], "safety_class": id["safety_class"], "confidence": id["confidence"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A collector checks the chain by these bytes.
func TestChain(t *testing.T) {
	env := Envelope{V: 1, Site: `a","historical":false,"body":`, GW: "7b", Epoch: "e1", Class: "audit", Seq: 1, Kind: "act", Prev: ZeroPrev, TimeQuality: "ntp",
		Body: json.RawMessage(`{"historical":false,"body":1}`)}
	line, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	late := Late(line)
	want := `{"v":1,"site":"a\",\"historical\":false,\"body\":","gw":"7b","epoch":"e1","class":"audit","seq":1,"kind":"act","boot_id":"","mono_ms":0,"time":"","time_quality":"ntp",` +
		`"prev":"` + ZeroPrev + `","historical":true,"body":{"historical":false,"body":1}}`
	if string(late) != want {
		t.Errorf("\n got %s\nwant %s", late, want)
	}
	if got := Committed(late); string(got) != string(line) {
		t.Errorf("\n got %s\nwant %s", got, line)
	}
	if got, want := Chain([]byte("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("Chain = %s, want %s (FIPS 180-4)", got, want)
	}
	if Chain(line) == Chain(late) {
		t.Error("the flag is no part of the chain")
	}
}
