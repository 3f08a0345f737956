package config

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEmptyFile(t *testing.T) {
	got, err := Parse("w.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{Gateway: "wardkeeper", Mode: Bridge,
		Site: Site{Name: "site", Internal: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
			netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fd00::/8")}},
		Ports: Ports{Uplink: "eth0", Ward: []string{"eth1"}}, Mgmt: Mgmt{Address: "dhcp"},
		Console: Console{Baud: 115200, BreakGlass: "open"}, State: "/data/wardkeeper",
		Observe: Observe{RingBytes: 4 << 20, Flows: 65536, Streams: 4096, StreamBytes: 16 << 10}, Outbox: Outbox{CapBytes: 32 << 20}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
		t.Errorf("empty file (-want +got):\n%s", diff)
	}
}

func TestPerPort(t *testing.T) {
	all := Observe{RingBytes: 4 << 20, Flows: 65536, Streams: 4096, StreamBytes: 16 << 10}
	for _, tt := range []struct{ ports, flows, streams int }{
		{1, 65536, 4096}, {3, 21845, 1365}, {8, 8192, 512}, {64, MinFlows, MinStreams}, {100, MinFlows, MinStreams},
	} {
		want := Observe{RingBytes: 4 << 20, Flows: tt.flows, Streams: tt.streams, StreamBytes: 16 << 10}
		if diff := cmp.Diff(want, all.PerPort(tt.ports)); diff != "" {
			t.Errorf("one of %d ports (-want +got):\n%s", tt.ports, diff)
		}
	}
}

// The documented reference file must stay a good one.
func TestReferenceFile(t *testing.T) {
	data, err := os.ReadFile("testdata/wardkeeper.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("wardkeeper.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	if c.Gateway != "st-mary-7b" || c.Site.Name != "st-mary" || len(c.Ports.Ward) != 2 || c.Uplink.URL == "" {
		t.Errorf("reference file read as %+v", c)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"unknown key", "gateway = \"a\"\n[ports]\nwards = [\"eth1\"]\n", `w.toml:3: unknown key "ports.wards" (nearest: "ward")`},
		{"gateway", "gateway = \"a/b\"\n", `w.toml:1: gateway: "a/b": want 1 to 64 of A-Z a-z 0-9 . _ -`},
		{"gateway for many", "gateway = \"all\"\n", `w.toml:1: gateway: "all" stands for many gateways: want another name`},
		{"site", "[site]\nname = \"#\"\n", `w.toml:2: site.name: "#": want 1 to 64 of A-Z a-z 0-9 . _ -`},
		{"network", "[site]\ninternal = [\"10.0.0.0/33\"]\n", `w.toml:2: site.internal: "10.0.0.0/33": want a network like 10.0.0.0/8`},
		{"scanner", "[site]\nscanners = [\"x\"]\n", `w.toml:2: site.scanners: "x": want an IP address`},
		{"mode", "mode = \"hub\"\n", `w.toml:1: mode: "hub": want "bridge", "routed" or "tap"`},
		{"no ward port", "[ports]\nward = []\n", `w.toml:2: ports.ward: want at least one ward port`},
		{"port twice", "[ports]\nuplink = \"eth1\"\nward = [\"eth1\"]\n", `w.toml:3: ports.ward: "eth1" is named twice`},
		{"port name", "[ports]\nward = [\"a b\"]\n", `w.toml:2: ports.ward: "a b": want a port name of at most 15 characters`},
		{"address", "[mgmt]\naddress = \"10.20.7.5\"\n", `w.toml:2: mgmt.address: "10.20.7.5": want "dhcp" or an address with its network like 10.20.7.5/24`},
		{"gateway address", "[mgmt]\ngateway = \"gw\"\n", `w.toml:2: mgmt.gateway: "gw": want an IP address`},
		{"dns", "[mgmt]\ndns = [\"ns1\"]\n", `w.toml:2: mgmt.dns: "ns1": want an IP address`},
		{"query in URL", "[uplink]\nurl = \"mqtts://x?token=1\"\n", `w.toml:2: uplink.url: want mqtts://HOST:PORT`},
		{"clear text", "[uplink]\nurl = \"mqtt://10.0.0.1:1883\"\n", `w.toml:2: uplink.url: mqtt:// is clear text: only to a loopback address or in a lab; want mqtts://`},
		{"scheme", "[uplink]\nurl = \"http://x\"\n", `w.toml:2: uplink.url: scheme "http": want mqtts or mqtt`},
		{"password in URL", "[uplink]\nurl = \"mqtts://u:p@x\"\n", `w.toml:2: uplink.url: want mqtts://HOST:PORT`},
		{"half a certificate", "[uplink]\nurl = \"mqtts://x:8883\"\ncert = \"a\"\n", `w.toml:3: uplink.cert: cert and key go together`},
		{"bound", "[observe]\nring_mib = 100\n", `w.toml:2: observe.ring_mib: 100: want 1 to 64`},
		{"rings", "[ports]\nward = [\"w1\", \"w2\", \"w3\", \"w4\", \"w5\"]\n[observe]\nring_mib = 64\n",
			`w.toml:4: observe.ring_mib: 64: rings of 5 ward ports are 320 MiB of memory, want at most 256 in all`},
		{"state", "[state]\ndir = \"x\"\n", `w.toml:2: state.dir: "x": want an absolute path`},
		{"root of trust", "[manage]\nroot = \"root.dsse\"\n", `w.toml:2: manage.root: "root.dsse": want an absolute path`},
		{"group", "[manage]\ngroups = [\"icu\", \"+\"]\n", `w.toml:2: manage.groups: "+": want 1 to 64 of A-Z a-z 0-9 . _ -`},
		{"hook's name", "[[nac.hook]]\nname = \"A\"\n", `w.toml:1: nac.hook: number 1: name "A": want 1 to 32 of a-z 0-9 -`},
		{"hook's kind", "[[nac.hook]]\nname = \"a\"\nkind = \"snmp\"\n", `w.toml:1: nac.hook: number 1: kind "snmp": want "exec", "webhook" or "radius-disconnect"`},
		{"hook's reach", "[[nac.hook]]\nname = \"a\"\nkind = \"exec\"\nreach = \"all\"\n", `w.toml:1: nac.hook: number 1: reach "all": want "device", "port" or "ward"`},
		{"hook's program", "[[nac.hook]]\nname = \"a\"\nkind = \"exec\"\nprogram = [\"x\"]\n", `w.toml:1: nac.hook: number 1: program ["x"]: want a program by its absolute path, and its arguments`},
		{"hook's secret", "[[nac.hook]]\nname = \"a\"\nkind = \"radius-disconnect\"\nserver = \"10.0.0.1:3799\"\nsecret = \"s3cret\"\n", `w.toml:1: nac.hook: number 1: secret "s3cret": want the absolute path of a file`},
		{"clear text", "[[nac.hook]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://nac/\"\n", `w.toml:1: nac.hook: number 1: url: want https://HOST/PATH`},
		{"hook of two kinds", "[[nac.hook]]\nname = \"a\"\nkind = \"exec\"\nprogram = [\"/x\"]\nurl = \"https://nac/\"\n", `w.toml:1: nac.hook: number 1: exec has no url`},
		{"break glass", "[console]\nbreak_glass = \"yes\"\n", `w.toml:2: console.break_glass: "yes": want "open", "challenge" or "off"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("w.toml", []byte(tt.in))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("gateway = \"a\"\n[ports]\nward = [\"eth1\"]\n"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = Parse("f", b) })
}

func TestMayBecome(t *testing.T) {
	base := "gateway = \"g\"\n"
	broker := "[uplink]\nurl = \"mqtts://broker:8883\"\n"
	hook := "[[nac.hook]]\nname = \"switch\"\nkind = \"exec\"\nprogram = [\"/bin/port\", \"%s\"]\n"
	came, err := Parse("came", []byte(base+broker+fmt.Sprintf(hook, "5")))
	if err != nil {
		t.Fatal(err)
	}
	now, err := Parse("now", []byte(base+broker)) // its hook was taken away from afar
	if err != nil {
		t.Fatal(err)
	}
	now.Came = came
	for in, want := range map[string]string{
		base + broker + fmt.Sprintf(hook, "5"):                   "",
		base + broker + fmt.Sprintf(hook, "6"):                   `nac.hook: no program that the gateway did not come with may be run from afar: ["/bin/port" "6"]`,
		base + "[uplink]\nurl = \"mqtts://other:8883\"\n":        "",
		"gateway = \"g\"\n":                                      `uplink.url: nobody could take that back from afar`,
		base + "[ports]\nuplink = \"eth1\"\nward = [\"eth0\"]\n": `ports.uplink: "eth0" may not become "eth1" from afar`,
		base + "[ports]\nward = [\"eth1\", \"eth2\"]\n":          `ports.ward: "eth1" may not become "eth1, eth2" from afar`,
		base + "[policy]\nfile = \"/p.toml\"\n":                  `policy.file: "" may not become "/p.toml" from afar`,
		base + "[rules]\ndir = \"/mine\"\n":                      `rules.dir: "" may not become "/mine" from afar`,
		"gateway = \"h\"\n":                                      `gateway: "g" may not become "h" from afar`,
		base + "lab = true\n":                                    `lab: "false" may not become "true" from afar`,
		base + "[state]\ndir = \"/elsewhere\"\n":                 `state.dir: "/data/wardkeeper" may not become "/elsewhere" from afar`,
		base + "[console]\ndevice = \"/dev/ttyS0\"\n":            `console.device: "" may not become "/dev/ttyS0" from afar`,
		base + "[console]\nbaud = 9600\n":                        `console.baud: "115200" may not become "9600" from afar`,
		base + "[console]\nbreak_glass = \"challenge\"\n":        `console.break_glass: "open" may not become "challenge" from afar`,
		base + "[console]\nbreak_glass = \"off\"\n":              `console.break_glass: "open" may not become "off" from afar`,
		base + "[manage]\nroot = \"/mine\"\n":                    `manage.root: "" may not become "/mine" from afar`,
	} {
		c, err := Parse("new", []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := now.MayBecome(c); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	// opening is easy
	for to, want := range map[string]bool{"off": false, "challenge": true, "open": true} {
		came.Console.BreakGlass = "challenge"
		c, err := Parse("new", []byte(base+broker+"[console]\nbreak_glass = \""+to+"\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := now.MayBecome(c) == nil; got != want {
			t.Errorf("challenge to %s: %v, want %v", to, got, want)
		}
	}
}
