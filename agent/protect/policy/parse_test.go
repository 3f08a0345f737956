package policy

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseErrors(t *testing.T) {
	const seg = "version = 1\n[peers.srv]\naddresses = [\"10.0.0.1\"]\n[[segment]]\nname = \"a\"\nroles = [\"printer\"]\nmode = \"stage\"\n"
	tests := []struct{ name, in, want string }{
		{"good", seg + "allow = [{ to = \"srv\", services = [\"tcp/1\"] }]\n", ""},
		{"unknown key", "version = 1\n[[segment]]\nname = \"a\"\nrols = [\"printer\"]\n", `p.toml:4: unknown key "segment.rols" (nearest: "roles")`},
		{"unknown table", "version = 1\n[defaults]\nmode = \"observe\"\n", `p.toml:2: unknown key "defaults" (nearest: "default")`},
		{"no version", "[default]\nmode = \"observe\"\n", "p.toml:1: version 0: want a number from 1"},
		{"unknown role", seg + "[[segment]]\nname = \"b\"\nmode = \"stage\"\nroles = [\n  \"ventilator\",\n  \"infusion-pmup-lvp\",\n]\n",
			`p.toml:13: segment "b": unknown role "infusion-pmup-lvp" (nearest: "infusion-pump-lvp")`},
		{"unknown role, nothing near", strings.Replace(seg, "printer", "zzzzzzzzzzzz", 1), `p.toml:6: segment "a": unknown role "zzzzzzzzzzzz"`},
		{"unknown peer", strings.Replace(seg, "[peers.srv]", "[peers.pump-server]", 1) + "allow = [\n  { to = \"pump-server\", services = [\"tcp/1\"] },\n  { from = \"pump-servr\", services = [\"tcp/1\"] },\n]\n",
			`p.toml:10: segment "a": from = "pump-servr": no peer, segment or group of that name (nearest: "pump-server")`},
		{"unknown group", seg + "allow = [{ to = \"ssdpp\" }]\n", `p.toml:8: segment "a": to = "ssdpp": no peer, segment or group of that name (nearest: "ssdp")`},
		{"unknown target, nothing near", seg + "allow = [{ to = \"zzzzzzzzzzzz\" }]\n", `p.toml:8: segment "a": to = "zzzzzzzzzzzz": no peer, segment or group of that name`},
		{"bad service", seg + "allow = [\n  { to = \"srv\", services = [\"tcp/1\",\n    \"tcp/70000\"] },\n]\n",
			`p.toml:10: segment "a": service "tcp/70000": want tcp/443, udp/5000-5001, tcp/any, icmp/echo, ip/47 or ether/0x88f7`},
		{"bad mode", strings.Replace(seg, "stage", "enforced", 1), `p.toml:7: segment "a": mode "enforced": want "observe", "stage" or "enforce"`},
		{"no mode", strings.Replace(seg, "mode = \"stage\"\n", "", 1), `p.toml:4: segment "a": mode "": want "observe", "stage" or "enforce"`},
		{"segment twice", seg + "[[segment]]\nmode = \"stage\"\nroles = [\"ip-camera\"]\nname = \"a\"\n", `p.toml:11: segment "a": the name is taken`},
		{"segment named as a peer", strings.Replace(seg, "name = \"a\"", "name = \"srv\"", 1), `p.toml:5: segment "srv": the name is taken`},
		{"segment named as a group", strings.Replace(seg, "name = \"a\"", "name = \"mdns\"", 1), `p.toml:5: segment "mdns": the name has a meaning of its own`},
		{"segment with a bad name", strings.Replace(seg, "name = \"a\"", "name = \"A b\"", 1), `p.toml:5: segment "A b": want 1 to 32 of a-z 0-9 -`},
		{"role in two segments", seg + "[[segment]]\nname = \"b\"\nmode = \"stage\"\nroles = [\"ip-camera\", \"printer\"]\n",
			`p.toml:11: segment "b": role "printer" is already in segment "a"`},
		{"tag in two segments", strings.Replace(seg, "roles = [\"printer\"]", "tags = [\"x\"]", 1) + "[[segment]]\nname = \"b\"\nmode = \"stage\"\ntags = [\"x\"]\n",
			`p.toml:11: segment "b": tag "x" is already in segment "a"`},
		{"bad device", strings.Replace(seg, "roles = [\"printer\"]", "devices = [\"printer-3\"]", 1),
			`p.toml:6: segment "a": device "printer-3": want a device id, as show devices prints it`},
		{"segment of nobody", strings.Replace(seg, "roles = [\"printer\"]\n", "", 1), `p.toml:5: segment "a": want roles, tags or devices`},
		{"peer without addresses", "version = 1\n[peers.a]\naddresses = [\"10.0.0.1\"]\n[peers.b]\nclinical = true\n", `p.toml:4: peer "b": want addresses, or device for a peer on the ward`},
		{"peer with a bad address", "version = 1\n[peers.a]\naddresses = [\n \"10.0.0.1\",\n \"10.0.0\",\n]\n",
			`p.toml:5: peer "a": address "10.0.0": want an IP address or a network like 10.1.0.0/16`},
		{"clinical network", "version = 1\n[peers.a]\nclinical = true\naddresses = [\"10.0.0.0/24\"]\n",
			`p.toml:4: peer "a": address "10.0.0.0/24": a clinical peer, or one on the ward, has single addresses`},
		{"multicast peer", "version = 1\n[peers.a]\nstandby = [\"224.0.0.1\"]\naddresses = [\"10.0.0.1\"]\n", `p.toml:3: peer "a": address "224.0.0.1": no host has it`},
		{"peer on no device", "version = 1\n[peers.a]\ndevice = \"bed 9\"\n", `p.toml:3: peer "a": device "bed 9": want a device id, as show devices prints it`},
		{"peer named any", "version = 1\n[peers.any]\naddresses = [\"10.0.0.1\"]\n", `p.toml:2: peer "any": the name has a meaning of its own`},
		{"to and from", seg + "allow = [{ to = \"srv\", from = \"srv\", services = [\"tcp/1\"] }]\n", `p.toml:8: segment "a": allow entry 1: want either to or from`},
		{"neither to nor from", seg + "allow = [{ services = [\"tcp/1\"] }]\n", `p.toml:4: segment "a": allow entry 1: want either to or from`},
		{"no services", seg + "allow = [{ to = \"srv\" }]\n", `p.toml:8: segment "a": to = "srv": want services`},
		{"group without services", seg + "allow = [{ to = \"broadcast\" }]\n", `p.toml:8: segment "a": to = "broadcast": want services`},
		{"from a group", seg + "allow = [{ from = \"mdns\" }]\n", `p.toml:8: segment "a": from = "mdns": a group is only sent to`},
		{"tcp to a group", seg + "allow = [{ to = \"mdns\", services = [\"tcp/80\"] }]\n", `p.toml:8: segment "a": service "tcp/80": only udp is sent to a group`},
		{"ether to a peer", seg + "allow = [{ to = \"srv\", services = [\"ether/0x88f7\"] }]\n", `p.toml:8: segment "a": service "ether/0x88f7" has no address: want to = "any"`},
		{"ip as ether", seg + "allow = [{ to = \"any\", services = [\"ether/0x0800\"] }]\n", `p.toml:8: segment "a": service "ether/0x0800": IP is allowed by its own services, as ip/any`},
		{"default enforce", seg + "[default]\nmode = \"enforce\"\n", `p.toml:9: default: mode "enforce": want "observe" or "stage"; what no segment names is never enforced`},
		{"overlapping ranges", seg + "allow = [{ to = \"srv\", services = [\"tcp/1-100\", \"tcp/50-200\", \"tcp/any\"] }]\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if _, err := Parse("p.toml", []byte(tt.in), testRoles, "ventilator", "infusion-pump-lvp", "printer"); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestParseService(t *testing.T) {
	good := map[string]Service{
		"tcp/443": {TCP, 443, 443}, "udp/5000-5001": {UDP, 5000, 5001}, "tcp/any": {TCP, 1, 65535}, "icmp/echo": {Proto: Echo},
		"icmp/13": {ICMP, 13, 13}, "icmp/any": {ICMP, 0, 255}, "icmp6/128": {ICMP6, 128, 128}, "ip/47": {IP, 47, 47}, "ip/any": {IP, 0, 255},
		"ether/0x88f7": {Ether, 0x88f7, 0x88f7},
	}
	for in, want := range good {
		got, err := ParseService(in)
		if err != nil || got != want {
			t.Errorf("ParseService(%q) = %+v, %v, want %+v", in, got, err, want)
		}
		if got.String() != in {
			t.Errorf("ParseService(%q) writes %q", in, got)
		}
	}
	for _, in := range []string{"", "tcp", "tcp/", "tcp/0", "tcp/65536", "tcp/9-8", "tcp/-1", "tcp/+1", "tcp/1-", "udp/a", "sctp/1", "icmp/256", "icmp/1-2", "ip/1-9",
		"ether/88f7", "ether/0x05ff", "ether/any", "icmp6/echo", "tcp/1-2-3", "TCP/1"} {
		if got, err := ParseService(in); err == nil {
			t.Errorf("ParseService(%q) = %v, want an error", in, got)
		}
	}
}

func TestParseModes(t *testing.T) {
	for m := Observe; m <= Enforce; m++ {
		var back Mode
		b, _ := m.MarshalText()
		if err := back.UnmarshalText(b); err != nil || back != m {
			t.Errorf("%v reads back as %v, %v", m, back, err)
		}
	}
}

func TestOverlappingRangesCompileDisjoint(t *testing.T) {
	c := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())
	var got []string
	for _, line := range strings.Split(c.Text(), "\n") {
		if strings.HasPrefix(line, "  00:11:22:00:00:0a 10.30.") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		"00:11:22:00:00:0a 10.30.0.0-10.30.255.255",
		"00:11:22:00:00:0a 10.30.0.0-10.30.255.255 6 8000-8200",
		"00:11:22:00:00:0a 10.30.0.0-10.30.255.255 17 4000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("elements of the ventilator and the farm (-want +got)\n%s", diff)
	}
}

// TestNeighboursAreNoRange: ports, addresses and ICMP types that stand beside each
// other, one by one, are no range: their sets take none, and a table with one is
// refused as a whole.
func TestNeighboursAreNoRange(t *testing.T) {
	p := parseText(t, `version = 1
[peers.twins]
addresses = ["10.30.0.4", "10.30.0.5"]
[[segment]]
name  = "beds"
roles = ["patient-monitor", "ventilator"]
mode  = "enforce"
allow = [
  { to = "twins", services = ["tcp/8000", "tcp/8001", "tcp/8001", "udp/9", "icmp/8", "icmp/9"] },
  { from = "twins", services = ["tcp/22", "tcp/23"] },
]
[default]
mode = "observe"
`)
	c := compile(t, p, wideSnapshot())
	if err := c.Table(1).Load().Validate(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{" 10.30.0.4 6 8000", " 10.30.0.5 6 8001", " 10.30.0.4 6 22", " 10.30.0.5 6 23", " 10.30.0.4 8", " 10.30.0.5 9"} {
		if n := strings.Count(c.Text(), want+"\n"); n == 0 {
			t.Errorf("no element ends with%s", want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range []string{"lab.policy.toml", "wide.policy.toml"} {
		b, err := os.ReadFile("testdata/" + n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("f", b, testRoles)
		if err != nil {
			return
		}
		c, err := Compile(Input{Policy: p, Placement: p.Place(wideSnapshot(), testRoles), Internal: internal(), Uplink: "uplink"})
		if err != nil {
			return
		}
		if err := c.Table(1).Load().Validate(); err != nil {
			t.Fatalf("an accepted policy makes a bad table: %v\n%s", err, b)
		}
	})
}
