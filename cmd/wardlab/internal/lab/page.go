package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// page writes lines and keeps the first error.
type page struct {
	to  io.Writer
	err error
}

func (p *page) line(format string, args ...any) { p.text(cut(fmt.Sprintf(format, args...)) + "\n") }

func (p *page) wrap(first, rest, text string) { p.text(wrap(first, rest, text)) }

func (p *page) text(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.to, s)
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// arrived says what of the intruder reached others than its neighbour.
func arrived(arrivals map[string]map[string]uint64, claims map[string]uint64) string {
	var out []string
	for _, host := range keys(arrivals) {
		if host == cast.PC.String() {
			continue
		}
		var n uint64
		for _, k := range arrivals[host] {
			n += k
		}
		services := keys(arrivals[host])
		if len(services) > 4 {
			services = append(services[:4:4], "...")
		}
		out = append(out, fmt.Sprintf("%s %d (%s)", host, n, strings.Join(services, " ")))
	}
	var forged uint64
	for host, n := range claims {
		if host != cast.PC.String() {
			forged += n
		}
	}
	out = append(out, fmt.Sprintf("%d forged claims", forged))
	return strings.Join(out, ", ")
}

// kernelLine is the counters in one line.
func kernelLine(counters map[string]uint64) string {
	var out []string
	var n uint64
	for _, k := range keys(counters) {
		if n += counters[k]; counters[k] > 0 {
			out = append(out, fmt.Sprintf("%s %d", k, counters[k]))
		}
	}
	return fmt.Sprintf("%d packets dropped by rule: %s", n, strings.Join(out, ", "))
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
