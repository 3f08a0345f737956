package policy

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// stillClock is a clock that a test moves.
type stillClock struct{ mono time.Duration }

func (c *stillClock) Now() time.Time      { return time.Unix(1_700_000_000, 0).Add(c.mono) }
func (c *stillClock) Mono() time.Duration { return c.mono }
func (c *stillClock) Synced() bool        { return true }
func (c *stillClock) BootID() string      { return "boot" }

// loadFake loads a table into a new packet filter.
func loadFake(t testing.TB, table platform.Table) (*fake.Firewall, *stillClock) {
	t.Helper()
	clock := &stillClock{mono: time.Hour}
	fw := fake.NewFirewall(clock)
	if err := fw.Apply(context.Background(), table.Load()); err != nil {
		t.Fatal(err)
	}
	return fw, clock
}

// misjudged lists the rows whose verdict on the table is not the person's.
func misjudged(t testing.TB, table platform.Table) []string {
	t.Helper()
	return misjudgedOf(t, table, rows())
}

func misjudgedOf(t testing.TB, table platform.Table, rows []row) []string {
	t.Helper()
	fw, _ := loadFake(t, table)
	var wrong []string
	for _, r := range rows {
		d := fw.Decide(fake.Packet{Frame: r.frame.bytes(), In: r.in, Out: r.out})
		if d.Accepted != r.pass {
			wrong = append(wrong, fmt.Sprintf("%s (%s): passes %v by %s rule %d %s, want %v", r.name, r.why, d.Accepted, d.Chain, d.Rule, d.Comment, r.pass))
		}
	}
	return wrong
}

func TestVerdictsOnFake(t *testing.T) {
	if n := len(rows()); n < 60 {
		t.Fatalf("%d rows, want at least 60", n)
	}
	for _, w := range misjudged(t, compileLab(t).Table(1)) {
		t.Error(w)
	}
}

func TestVerdictsExplained(t *testing.T) {
	c := compileLab(t)
	for _, r := range rows() {
		p, ok := r.frame.packet(r.in, r.out)
		if !ok {
			continue // an explanation wants a sound packet
		}
		if e := c.Explain(p); (e.Verdict != Deny) != r.pass {
			t.Errorf("%s (%s): %v, want pass %v", r.name, r.why, e, r.pass)
		}
	}
}

// TestPacketsFile keeps the rows for the test on the kernel (cmd/wardlab), which
// may not import this package's tests.
func TestPacketsFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("# packet\tin\tout\tverdict\twhy\tframe\n# made by go test ./agent/protect/policy -run TestPacketsFile -update\n")
	for _, r := range rows() {
		verdict := map[bool]string{true: "pass", false: "deny"}[r.pass]
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\n", r.name, r.in, r.out, verdict, r.why, hex.EncodeToString(r.frame.bytes()))
	}
	golden(t, "lab.packets.tsv", b.String())
}
