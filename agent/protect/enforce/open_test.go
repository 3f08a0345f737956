package enforce

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// What a person opened stays open for as long as it was opened, whatever the
// agent has to do to the table meanwhile, and no longer.

// breakGlass opens a device and a port by another program than the agent.
func (w *ward) breakGlass(d time.Duration) {
	w.t.Helper()
	change := policy.BreakGlass(d)
	change.Steps = append(change.Steps,
		platform.Step{RenewElements: &platform.SetElements{Set: policy.SetOpenDevice, Elements: []platform.Element{{Key: platform.MACKey(printerMAC), Timeout: 2 * d.Milliseconds()}}}})
	if err := w.fw.Peer().Apply(context.Background(), change); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	if !w.passes(telnet) || !w.passes(smb) {
		w.t.Error("break-glass by another program does not open")
	}
}

// reopened checks that all that breakGlass opened is open, ends when it was to
// end, and not before.
func (w *ward) reopened(begun time.Time, d time.Duration) {
	w.t.Helper()
	synctest.Wait()
	if !w.passes(telnet) || !w.passes(smb) || !w.passes(clinical) {
		w.t.Error("break-glass was closed")
	}
	time.Sleep(time.Until(begun.Add(d - 5*time.Second)))
	synctest.Wait()
	if !w.passes(telnet) {
		w.t.Error("break-glass ended early")
	}
	time.Sleep(10 * time.Second)
	synctest.Wait()
	if w.passes(telnet) || !w.passes(smb) {
		w.t.Errorf("the gateway was open until now: telnet passes %v; a device is for longer: smb passes %v", w.passes(telnet), w.passes(smb))
	}
	time.Sleep(d)
	synctest.Wait()
	w.enforced("after break-glass ended by itself")
}

// stuck is a kernel that takes no mending of the base: only a table that is
// laid anew helps.
type stuck struct {
	*fake.Firewall
	mends, lays int
}

func (s *stuck) Apply(ctx context.Context, c platform.Change) error {
	switch {
	case c.Steps[0].DeleteTable != nil:
		s.lays++
	case c.Steps[0].FlushChain == "care": // the first of the base
		s.mends++
		return fmt.Errorf("apply: %w", platform.ErrStateUnknown)
	}
	return s.Firewall.Apply(ctx, c)
}

func TestLayingTheTableAnewKeepsBreakGlassOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		s := &stuck{Firewall: w.fw}
		o := w.options(wardPolicy(t))
		o.Firewall = s
		w.run(o)
		w.settle()
		begun := time.Now()
		w.breakGlass(time.Hour)
		time.Sleep(10 * time.Minute)
		err := w.fw.Peer().Apply(context.Background(), platform.Change{Family: platform.FamilyBridge, Table: policy.TableName, Steps: []platform.Step{
			{FlushChain: policy.ChainForward}, {AddChain: &platform.Chain{Name: "theirs"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		if s.mends != maxMends || s.lays != 2 {
			t.Fatalf("%d mends, then the table was laid anew %d times, want %d and once more: the test proves nothing", s.mends, s.lays-1, maxMends)
		}
		w.reopened(begun, time.Hour)
	})
}

func TestForeignFlushKeepsBreakGlassOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		begun := time.Now()
		w.breakGlass(time.Hour)
		time.Sleep(10 * time.Minute)
		w.fw.FlushRuleset()
		w.settle()
		w.table()
		w.reopened(begun, time.Hour)
	})
}
