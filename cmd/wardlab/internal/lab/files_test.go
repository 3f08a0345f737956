package lab

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

func TestPolicyIsTOMLOfTheWard(t *testing.T) {
	kinds := append(cast.Kinds(), cast.Basic)
	for seed := range uint64(20) {
		c := cast.NewKind(seed, kinds[int(seed)%len(kinds)])
		text, err := Policy(c, "enforce")
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Version int
			Peers   map[string]struct {
				Addresses []string
				Clinical  bool
			}
			Segment []struct {
				Name  string
				Roles []string
				Mode  string
			}
		}
		if _, err := toml.Decode(text, &p); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got, want := p.Peers["pump-server"].Addresses, []string{c.Member(cast.PumpServer).Addr.String()}; !cmp.Equal(got, want) || !p.Peers["pump-server"].Clinical {
			t.Errorf("seed %d: pump server %v, want %v and clinical", seed, got, want)
		}
		roles := map[string]bool{}
		for _, s := range p.Segment {
			if s.Mode != "enforce" {
				t.Errorf("segment %s has mode %q", s.Name, s.Mode)
			}
			for _, r := range s.Roles {
				roles[r] = true
			}
		}
		for _, part := range c.Parts() {
			if r := part.Role(); r != "" && !part.Vague() && !roles[r] {
				t.Errorf("no segment takes role %s", r)
			}
		}
		if strings.Contains(text, "{{") {
			t.Errorf("seed %d: a placeholder is left", seed)
		}
	}
}

func TestConfig(t *testing.T) {
	c := cast.New(cast.DefaultSeed)
	g := gatewayFiles{dir: "/tmp/x", console: "/dev/pts/7", broker: "mqtt://127.0.0.1:1884", uplink: "up0", ward: []string{"w1", "w2"}, rules: "/r"}
	want := `gateway = "` + c.Gateway + `"
lab     = true
mode    = "bridge"
[site]
name     = "` + c.Site + `"
internal = ["` + c.Subnet.String() + `"]
[ports]
uplink = "up0"
ward   = ["w1", "w2"]
[uplink]
url = "mqtt://127.0.0.1:1884"
[console]
device = "/dev/pts/7"
[policy]
file = "/tmp/x/policy.toml"
[state]
dir = "/tmp/x/state"
[rules]
dir = "/r"
`
	if diff := cmp.Diff(want, g.Config(c)); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	g.rules, g.noRing = "", true
	if !strings.Contains(g.Config(c), "[observe]\nrecvmmsg = true\n") {
		t.Error("recvmmsg not asked for")
	}
	if strings.Contains(g.Config(c), "[rules]") {
		t.Error("rules named though embedded ones are meant")
	}
}
