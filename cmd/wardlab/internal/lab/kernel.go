package lab

import (
	"strings"

	"github.com/wardkeeper/wardkeeper/platform"
)

// agentTable is the agent's table in the kernel.
const agentTable = "wardkeeper"

// dropped is the packet counters of a table's drop rules by chain, without the
// generation that ends a chain's name.
func dropped(t platform.Table) map[string]uint64 {
	out := map[string]uint64{}
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			if r.Counter && r.Verdict.Kind == platform.Drop {
				out[withoutGeneration(c.Name)] += r.Packets
			}
		}
	}
	return out
}

func withoutGeneration(chain string) string {
	i := strings.LastIndexByte(chain, '_')
	if i < 0 || strings.Trim(chain[i+1:], "0123456789") != "" {
		return chain
	}
	return chain[:i]
}
