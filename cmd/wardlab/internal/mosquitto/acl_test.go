package mosquitto

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestWhoMayWhat is the matrix of scripts/mosquitto/acl at a real broker, with
// certificates of both sides. mosquitto acknowledges what it refuses, so that
// the verdict is a subscriber's: of a witness who may everything, whose own
// message on the same topic is the control that it can pass at all.
func TestWhoMayWhat(t *testing.T) {
	s := newSite(t, "user witness\ntopic readwrite #\n")
	const base = "wardkeeper/v1/st-mary/"
	// who may write (w) and read (r), in the order gateway gw-a, operator, collector
	matrix := []struct{ topic, gateway, operator, collector string }{
		{base + "gw-a/up/alert", "w", "r", "r"},
		{base + "gw-a/up/audit", "w", "r", "r"},
		{base + "gw-a/up/cmd/c1", "w", "r", "r"},
		{base + "gw-a/state", "w", "r", "r"},
		{base + "gw-a/down/cmd/c1", "r", "w", "r"},
		{base + "gw-a/down/desired/policy", "r", "w", "r"},
		{base + "all/down/desired/root", "r", "rw", "r"}, // a pattern is for every name
		{base + "all/down/cmd/c1", "r", "rw", "r"},
		{base + "grp/icu/down/desired/policy", "r", "rw", "r"},
		{base + "gw-b/up/alert", "", "r", "r"},
		{base + "gw-b/up/cmd/c1", "", "r", "r"},
		{base + "gw-b/state", "", "r", "r"},
		{base + "gw-b/down/cmd/c1", "", "w", "r"},
		{base + "gw-b/down/desired/config", "", "w", "r"},
		{base + "gw-a", "", "", "r"},
		{base + "gw-a/other", "", "", "r"},
		{base + "all/up/alert", "", "r", "r"},
		{base + "all/state", "", "r", "r"},
		{base + "grp/icu/up/alert", "", "", "r"},
		{base + "op:anna/state", "", "rw", "r"}, // no gateway has such a name
		{"wardkeeper/v1/st-john/gw-a/up/alert", "", "", "r"},
		{"wardkeeper/v1/st-john/gw-a/state", "", "", "r"},
		{"wardkeeper/v1/st-john/gw-a/down/cmd/c1", "", "", "r"},
		{"wardkeeper/v1/st-john/all/down/desired/policy", "", "", "r"},
		{"other", "", "", ""},
	}
	var seen list // by the witness
	witness := s.client("w", s.person("witness"), &seen)
	if err := await(witness.Subscribe("#", 1, nil)); err != nil {
		t.Fatal(err)
	}
	say := func(c mqtt.Client, topic, text string) {
		t.Helper()
		if err := await(c.Publish(topic, 1, false, text)); err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
	}
	// settled returns once the broker has dealt with all that was sent before
	marks := 0
	settled := func() {
		t.Helper()
		marks++
		mark := fmt.Sprint("mark ", marks)
		say(witness, "mark", mark)
		until(t, mark, func() bool { return slices.Contains(seen.all(), "mark "+mark) })
	}
	for _, who := range []struct {
		name string
		cert tls.Certificate
		may  func(i int) string
		own  string // it may read it
	}{
		{"gw-a", s.enrolled("gw-a"), func(i int) string { return matrix[i].gateway }, base + "gw-a/down/cmd/end"},
		{"op:anna", s.person("op:anna"), func(i int) string { return matrix[i].operator }, base + "gw-a/up/end"},
		{"ward:collector", s.collector(), func(i int) string { return matrix[i].collector }, base + "gw-a/up/end"},
	} {
		for i, cell := range matrix {
			c := s.client("anything", who.cert, &list{}) // mosquitto 2.0 ends the session after a refusal
			text, control := fmt.Sprintf("%s says %d", who.name, i), fmt.Sprintf("control %d of %s", i, who.name)
			if err := await(c.Publish(cell.topic, 1, false, text)); err != nil && strings.Contains(who.may(i), "w") {
				t.Errorf("%s writes %s: %v", who.name, cell.topic, err)
			}
			say(witness, cell.topic, control)
			settled()
			if !slices.Contains(seen.all(), cell.topic+" "+control) {
				t.Fatalf("control: what the witness says on %s does not pass", cell.topic)
			}
			if wrote, may := slices.Contains(seen.all(), cell.topic+" "+text), strings.Contains(who.may(i), "w"); wrote != may {
				t.Errorf("%s writes %s: %v, want %v", who.name, cell.topic, wrote, may)
			}
			c.Disconnect(0)
		}

		var got list
		c := s.client("anything", who.cert, &got)
		for _, f := range []string{"#", who.own} {
			if err := await(c.Subscribe(f, 1, nil)); err != nil {
				t.Fatalf("%s subscribes to %s: %v", who.name, f, err) // mosquitto grants all, and delivers what it may
			}
		}
		for i, cell := range matrix {
			if err := await(c.Subscribe(cell.topic, 1, nil)); err != nil {
				t.Fatalf("%s subscribes to %s: %v", who.name, cell.topic, err)
			}
			say(witness, cell.topic, fmt.Sprintf("%d for %s", i, who.name))
		}
		say(witness, who.own, "end")
		until(t, "the end arrives", func() bool { return slices.Contains(got.all(), who.own+" end") })
		for i, cell := range matrix {
			text := cell.topic + fmt.Sprintf(" %d for %s", i, who.name)
			if !slices.Contains(seen.all(), text) {
				t.Fatalf("control: %q does not reach the witness", text)
			}
			if read, may := slices.Contains(got.all(), text), strings.Contains(who.may(i), "r"); read != may {
				t.Errorf("%s reads %s: %v, want %v", who.name, cell.topic, read, may)
			}
		}
		c.Disconnect(0)
	}

	// What an operator retains is there for a gateway that comes later; what a
	// gateway would retain for others is not.
	anna := s.client("o", s.person("op:anna"), &list{})
	if err := await(anna.Publish(base+"all/down/desired/policy", 1, true, "signed")); err != nil {
		t.Fatal(err)
	}
	thief := s.client("b", s.enrolled("gw-b"), &list{})
	if err := await(thief.Publish(base+"gw-a/down/desired/policy", 1, true, "forged")); err != nil {
		t.Log("refused:", err)
	}
	var late list
	gateway := s.client("g", s.enrolled("gw-a"), &late)
	for _, f := range []string{base + "gw-a/down/#", base + "all/down/#"} {
		if err := await(gateway.Subscribe(f, 1, nil)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "what is retained", func() bool { return len(late.all()) > 0 })
	time.Sleep(50 * time.Millisecond) // for what must not come
	if got := late.all(); len(got) != 1 || got[0] != base+"all/down/desired/policy signed" {
		t.Errorf("retained: %q", got)
	}
}

// The ACL of the repository is what the matrix above is about.
func TestWitnessIsNoPartOfIt(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(scripts, "acl"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "witness") {
		t.Error("scripts/mosquitto/acl names the witness of the tests")
	}
}
