package agent

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
	"testing"
)

// edge forbids an import and says why. from and to are folders below the root
// or, for to, import paths; "/..." takes in what lies below.
type edge struct {
	from, to string
	except   []string // folders that may all the same
	tests    bool     // tests may, wherever they are
	why      string
}

func edges() []edge {
	groups := []string{"agent/observe", "agent/know", "agent/protect", "agent/report", "agent/operate"}
	leaves := []string{"agent/fact", "agent/device", "agent/event", "agent/health", "agent/clock", "agent/lifesign", "agent/strict", "agent/atomicfile", "rules", "images", "platform"}
	var out []edge
	for _, l := range leaves {
		for _, to := range []string{"agent", "agent/config", "agent/store"} {
			out = append(out, edge{from: l + "/...", to: to, why: "a leaf imports leaves only: everyone imports it, and so would import that too"})
		}
	}
	for _, a := range groups {
		for _, b := range groups {
			if a != b {
				out = append(out, edge{from: a + "/...", to: b + "/...", why: "rooms meet in the vocabularies and are wired by agent.go; an import between groups would hide a second path for the data"})
			}
		}
		for _, l := range leaves {
			out = append(out, edge{from: l + "/...", to: a + "/...", except: []string{"platform/linux", "platform/fake", "platform/hosttest"}, why: "a vocabulary that knows a room drags that room into everyone"})
		}
		out = append(out,
			edge{from: a + "/...", to: "agent", why: "the wiring knows the rooms, never the other way"},
			edge{from: a + "/...", to: "agent/config", why: "config is read by agent.go and cmd only: a room takes the values it needs"},
			edge{from: "agent/store", to: a + "/...", why: "the store serves every room and knows none"},
			edge{from: "platform/...", to: a + "/...", why: "the platform owes the agent the OS and knows nothing of it"})
	}
	return append(out,
		edge{from: "agent/observe/dissect", to: "agent/...", why: "dissect takes bytes and returns closed structs: it must be usable, fuzzable and readable alone"},
		edge{from: "agent/observe/dissect", to: "platform/...", why: "dissect takes bytes, wherever they come from"},
		edge{from: "agent/observe/dissect", to: "rules/...", why: "what bytes mean for identity is know's question"},
		edge{from: "agent/store", to: "agent/...", why: "the store keeps bytes and knows nobody's types: it imports nothing of ours"},
		edge{from: "agent/store", to: "platform/...", why: "the store is files and bbolt; the preflight is handed in"},
		edge{from: "agent/store", to: "rules/...", why: "the store keeps bytes"},
		edge{from: "platform/...", to: "agent/...", why: "the platform owes the agent the OS and knows nothing of it"},
		edge{from: "platform/...", to: "rules/...", why: "the platform knows no roles"},
		edge{from: "agent/...", to: "platform/linux", why: "the agent asks platform's interfaces, so that all of it runs on the fake"},
		edge{from: "agent/...", to: "platform/fake", tests: true, why: "a fake has no place in the product (tests may use it)"},
		edge{from: "cmd/...", to: "platform/linux", except: []string{"cmd/wardkeeper", "cmd/wardlab", "cmd/wardinit"}, why: "only these three run on a gateway; the others must run on a laptop"},
		edge{from: "cmd/wardlab/...", to: "agent/...", tests: true, why: "the lab judges the agent from outside; only its kernel tests of compiled policies import agent/protect/policy"},
		edge{from: "...", to: "golang.org/x/sys/unix", except: []string{"platform/linux", "cmd/wardlab", "cmd/wardinit"}, why: "platform/linux is the only door to the OS (the lab builds namespaces, PID 1 mounts)"},
		edge{from: "...", to: "github.com/mdlayher/...", except: []string{"platform/linux"}, why: "platform/linux is the only door to the OS"},
		edge{from: "...", to: "github.com/google/nftables/...", except: []string{"platform/linux"}, why: "platform/linux is the only door to the OS; rules are platform.Table everywhere else"},
		edge{from: "...", to: "github.com/vishvananda/...", except: []string{"platform/linux", "cmd/wardlab", "cmd/wardinit"}, why: "platform/linux is the only door to the OS (the lab builds namespaces, PID 1 names ports)"},
		edge{from: "...", to: "github.com/mochi-mqtt/server/...", except: []string{"cmd/wardlab"}, tests: true, why: "the embedded broker belongs to the lab and to tests"},
		edge{from: "...", to: "github.com/gopacket/gopacket/...", tests: true, why: "gopacket builds frames in tests; the agent reads with its own dissectors"},
		edge{from: "...", to: "syscall", except: []string{"platform/linux", "platform/hosttest", "cmd/wardlab", "cmd/wardkeeper", "cmd/wardinit", "agent/protect/nac/internal/child"}, tests: true, why: "platform/linux is the only door to the OS (the exec hook kills a process group)"},
		edge{from: "...", to: "os/exec", except: []string{"platform/linux", "cmd/wardlab", "cmd/wardimage", "cmd/wardinit", "agent/protect/nac/internal/child"}, tests: true, why: "a static image has no userland to execute; the exec hook runs what a site configured"},
		edge{from: "...", to: "C", why: "the binaries are static and cross-compiled, without a C compiler"},
		edge{from: "...", to: "unsafe", except: []string{"platform/linux", "cmd/wardlab"}, tests: true, why: "only the ring and raw socket calls need it"},
	)
}

// below reports whether the folder or import path p is what pattern names.
func below(p, pattern string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == base || strings.HasPrefix(p, base+"/")
	}
	return p == pattern
}

func (e edge) forbids(s source, imp string) bool {
	local, ours := strings.CutPrefix(imp, module+"/")
	if !ours {
		local = imp
	}
	if !below(s.dir, e.from) || !below(local, e.to) || local == s.dir {
		return false
	}
	if e.tests && s.test {
		return false
	}
	for _, x := range e.except {
		if below(s.dir, x+"/...") {
			return false
		}
	}
	return true
}

func TestImports(t *testing.T) {
	for _, s := range load(t).files {
		for _, spec := range s.file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range edges() {
				if e.forbids(s, imp) {
					t.Errorf("%s imports %s\n\tforbidden: %s → %s\n\tbecause %s", s.path, imp, e.from, e.to, e.why)
				}
			}
		}
	}
}

// The rule itself must bite: what it should refuse and allow.
func TestImportRulesBite(t *testing.T) {
	tests := []struct {
		dir, imp string
		test     bool
		want     bool // forbidden
	}{
		{"agent/know/inventory", module + "/agent/observe/flows", false, true},
		{"agent/know/inventory", module + "/agent/observe/flows", true, true},
		{"agent/know/inventory", module + "/agent/know/behave", false, false},
		{"agent/protect/enforce", module + "/platform/fake", false, true},
		{"agent/protect/enforce", module + "/platform/fake", true, false},
		{"agent/protect/enforce", module + "/platform/linux", true, true},
		{"agent/observe/capture", "golang.org/x/sys/unix", false, true},
		{"platform/linux", "golang.org/x/sys/unix", false, false},
		{"platform/linux/internal/x", "golang.org/x/sys/unix", false, false},
		{"cmd/wardlab", module + "/agent/protect/policy", false, true},
		{"cmd/wardlab", module + "/agent/protect/policy", true, false},
		{"cmd/wardctl", module + "/platform/linux", false, true},
		{"cmd/wardkeeper", "os/exec", false, true},
		{"agent/protect/nac", "os/exec", false, true},
		{"agent/protect/nac/internal/child", "os/exec", false, false},
		{"rules", module + "/agent/device", false, false},
		{"rules", module + "/agent/know/classify", false, true},
		{"agent/observe/dissect", module + "/agent/fact", false, true},
		{"agent/store", module + "/agent/event", false, true},
		{"rules", module + "/agent/store", false, true},
		{"agent/fact", module + "/agent", false, true},
		{"agent/report/outbox", module + "/agent/store", false, false},
		{"agent/report/outbox", "github.com/mdlayher/netlink", false, true},
	}
	for _, tt := range tests {
		s := source{path: path.Join(tt.dir, "x.go"), dir: tt.dir, test: tt.test, file: &ast.File{}}
		got := false
		for _, e := range edges() {
			got = got || e.forbids(s, tt.imp)
		}
		if got != tt.want {
			t.Errorf("%s (test %v) imports %s: forbidden %v, want %v", tt.dir, tt.test, tt.imp, got, tt.want)
		}
	}
}

func TestPlatformIsStandardLibrary(t *testing.T) {
	for _, s := range load(t).files {
		if s.dir != "platform" || s.test {
			continue
		}
		for _, spec := range s.file.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") && !strings.HasPrefix(imp, module+"/") {
				t.Errorf("%s imports %s: what the OS owes the agent is said in the standard library's words, so that every host can say it", s.path, imp)
			}
		}
	}
}

func TestPackageNames(t *testing.T) {
	for dir := range load(t).dirs() {
		switch path.Base(dir) {
		case "util", "utils", "common", "helper", "helpers", "manager", "misc":
			t.Errorf("%s: a package is named for what it is about; this name takes in everything", dir)
		}
	}
}
