package classify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// TestCorpus measures roles against the labels of real captures. CORPUS is the
// folder of the corpus; FACTS, if set, a file of `wardctl replay --facts` lines,
// else tshark's view of the captures (CORPUS/truth) stands in, which knows only
// what answers TCP, not the other ports. It fails where a role that is held for
// likely or better is wrong too often; VERBOSE=1 lists what is wrong.
func TestCorpus(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Log("CORPUS is not set: nothing to measure")
		return
	}
	c := embedded(t)
	devices := corpusDevices(t, root)
	type row struct{ hosts, right, named, sure, sureRight int }
	sum, byRole := row{}, map[device.Role]*row{}
	for _, l := range readLabels(t, root) {
		d, ok := devices[l.file+" "+l.mac]
		if !ok || l.ip != "" {
			continue // no frame of it, or several hosts behind one MAC
		}
		id := c.Classify(*d, time.Hour)
		r := byRole[l.role]
		if r == nil {
			r = &row{}
			byRole[l.role] = r
		}
		for _, r := range []*row{r, &sum} {
			r.hosts++
			if id.Role != device.RoleUnknown {
				r.named++
			}
			if id.Role == l.role {
				r.right++
			}
			if id.Confidence >= device.Likely {
				r.sure++
				if id.Role == l.role {
					r.sureRight++
				}
			}
		}
		if id.Role != l.role && os.Getenv("VERBOSE") != "" {
			t.Logf("%s %s: %s %s %.1f over %s %.1f, label %s\n%s", l.file, l.mac, id.Confidence, id.Role, id.Score, id.RunnerUp, id.Score-id.Margin, l.role, show(id))
		}
	}
	names := make([]device.Role, 0, len(byRole))
	for n := range byRole {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		r := byRole[n]
		t.Logf("%-24s hosts %3d  named %3d  right %3d  likely or better %3d, right %3d", n, r.hosts, r.named, r.right, r.sure, r.sureRight)
	}
	t.Logf("%-24s hosts %3d  named %3d  right %3d  likely or better %3d, right %3d", "all", sum.hosts, sum.named, sum.right, sum.sure, sum.sureRight)
	if sum.sure == 0 || float64(sum.sureRight) < 0.95*float64(sum.sure) {
		t.Errorf("%d of %d roles held for likely or better are right, want 95 %%", sum.sureRight, sum.sure)
	}
}

func show(id device.Identity) string {
	var b strings.Builder
	for _, e := range id.Evidence {
		fmt.Fprintf(&b, "      %-20s %-28s %+.2f\n", e.Role, e.Signature, e.Weight)
	}
	return b.String()
}

type label struct {
	file, mac, ip string
	role          device.Role
}

func readLabels(t *testing.T, root string) []label {
	t.Helper()
	var out []label
	for i, l := range lines(t, filepath.Join(root, "labels.tsv")) {
		if f := strings.Split(l, "\t"); i > 0 && len(f) > 3 {
			out = append(out, label{f[0], f[1], f[2], device.Role(f[3])})
		}
	}
	return out
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		out = append(out, s.Text())
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return out
}

// corpusDevices is by "file mac".
type corpusMap map[string]*device.Device

func (m corpusMap) at(t *testing.T, file, mac string) *device.Device {
	t.Helper()
	if m[file+" "+mac] == nil {
		p, err := fact.ParseMAC(mac)
		if err != nil {
			return &device.Device{}
		}
		m[file+" "+mac] = &device.Device{MAC: p}
	}
	return m[file+" "+mac]
}

func (m corpusMap) fact(t *testing.T, file, mac, kind, value string) {
	t.Helper()
	v, ok := fact.New(fact.Kind(kind), value)
	if !ok {
		return
	}
	d := m.at(t, file, mac)
	k := device.Known{Kind: fact.Kind(kind), Value: v.String(), Personal: v.Personal()}
	if !slices.Contains(d.Facts, k) {
		d.Facts = append(d.Facts, k)
	}
}

func (m corpusMap) address(t *testing.T, file, mac, ip string) {
	t.Helper()
	d := m.at(t, file, mac)
	if a, err := netip.ParseAddr(ip); err == nil && !slices.Contains(d.IPs, a) && len(d.IPs) < device.MaxIPs {
		d.IPs = append(d.IPs, a)
	}
}

func corpusDevices(t *testing.T, root string) corpusMap {
	t.Helper()
	m := corpusMap{}
	files, err := filepath.Glob(filepath.Join(root, "truth", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no truth in %s: %v", root, err)
	}
	for _, f := range files {
		m.truth(t, f)
	}
	if extra := os.Getenv("FACTS"); extra != "" {
		for _, l := range lines(t, extra) {
			var x struct{ File, MAC, IP, Kind, Value string }
			if err := json.Unmarshal([]byte(l), &x); err != nil {
				t.Fatal(err)
			}
			m.fact(t, filepath.Base(x.File), x.MAC, x.Kind, x.Value)
		}
	}
	for _, d := range m {
		slices.SortFunc(d.Facts, func(a, b device.Known) int {
			return strings.Compare(string(a.Kind)+"\x00"+a.Value, string(b.Kind)+"\x00"+b.Value)
		})
	}
	return m
}

// truth adds what tshark says of one capture; the facts only without FACTS.
func (m corpusMap) truth(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var x struct {
		File  string
		Hosts []struct {
			MAC        string
			IPs        []string `json:"ips_seen_as_source"`
			DHCPLeases []string `json:"dhcp_leases"`
		}
		Identity []struct{ MAC, IP, Kind, Value string }
		IPHosts  []struct {
			IP   string
			MACs []string
		} `json:"ip_hosts"`
		Listening []struct {
			IP, Proto string
			Port      int
		}
	}
	if err := json.Unmarshal(b, &x); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, h := range x.Hosts {
		m.at(t, x.File, h.MAC)
		for _, ip := range h.IPs {
			m.address(t, x.File, h.MAC, ip)
		}
	}
	if os.Getenv("FACTS") != "" {
		return
	}
	macs := map[string][]string{}
	for _, h := range x.IPHosts {
		macs[h.IP] = h.MACs
	}
	for _, i := range x.Identity {
		if i.MAC != "" {
			m.fact(t, x.File, i.MAC, i.Kind, i.Value)
			continue
		}
		for _, mac := range macs[i.IP] {
			m.fact(t, x.File, mac, i.Kind, i.Value)
		}
	}
	for _, l := range x.Listening {
		for _, mac := range macs[l.IP] {
			m.fact(t, x.File, mac, string(fact.Serves), fmt.Sprintf("%s/%d", l.Proto, l.Port))
		}
	}
}
