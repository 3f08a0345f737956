package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// pressed is a box with a button, in a bubble.
type pressed struct {
	*glass
	t     *testing.T
	fw    *fake.Firewall
	downs chan bool
}

func withButton(t *testing.T, do func(t *testing.T, p *pressed)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		boot := time.Now()
		host := fake.New()
		p := &pressed{t: t, fw: host.Firewall, downs: make(chan bool)}
		p.glass = &glass{firewall: host.Firewall.Peer(), mono: func() time.Duration { return time.Since(boot) + time.Hour },
			say: newSpeaker(), led: filepath.Join(dir, "led"), file: filepath.Join(dir, "button"), open: openFor}
		done := make(chan struct{})
		go func() { defer close(done); p.watch(p.downs) }()
		do(t, p)
		close(p.downs)
		<-done
	})
}

// hold presses and lets go after so long.
func (p *pressed) hold(d time.Duration) {
	p.downs <- true
	time.Sleep(d)
	p.downs <- false
	synctest.Wait()
}

// rules lays the table that the agent lays on a first boot.
func (p *pressed) rules() {
	p.t.Helper()
	c, err := policy.Compile(policy.Input{Policy: policy.None(), Uplink: "eth0"})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.fw.Apply(context.Background(), c.Table(1).Load()); err != nil {
		p.t.Fatal(err)
	}
}

// openFor is for how long the kernel has the gateway open.
func (p *pressed) openFor() time.Duration {
	table, err := p.fw.Read(context.Background(), platform.FamilyBridge, policy.TableName)
	if err != nil {
		p.t.Fatal(err)
	}
	return policy.OpenFor(policy.Opened(table)).Round(time.Second)
}

func (p *pressed) want(what string, open time.Duration, led string) {
	p.t.Helper()
	got, err := os.ReadFile(p.led)
	if err != nil && led != "" {
		p.t.Error(err)
	}
	if is := p.openFor(); is != open || string(got) != led {
		p.t.Errorf("%s: open for %s, LED %q; want %s, %q", what, is, got, open, led)
	}
}

func TestButton(t *testing.T) {
	withButton(t, func(t *testing.T, p *pressed) {
		p.rules()
		p.hold(4900 * time.Millisecond)
		p.want("a short press", 0, "")
		if _, err := os.Stat(p.file); err == nil {
			t.Error("a short press is in the record")
		}
		p.hold(5100 * time.Millisecond)
		p.want("held", openFor, "1")
		if got, err := os.ReadFile(p.file); err != nil || string(got) != "3609900 5409900\n" {
			t.Errorf("record %q, %v", got, err)
		}
		time.Sleep(20 * time.Minute)
		p.want("later", 10*time.Minute, "1")
		p.hold(6 * time.Second)
		p.want("held again", openFor-time.Second, "1")
		time.Sleep(openFor + time.Second)
		p.want("its time is over", 0, "0")
	})
}

// Somebody closes at the console what the button opened: the LED tells, and
// nothing opens it again.
func TestButtonClosedByAnother(t *testing.T) {
	withButton(t, func(t *testing.T, p *pressed) {
		p.rules()
		p.hold(6 * time.Second)
		if err := p.fw.Apply(context.Background(), policy.EndBreakGlass()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery + 2*time.Second)
		p.want("closed", 0, "0")
		time.Sleep(time.Minute)
		p.want("a minute later", 0, "0")
	})
}

// In rescue there are no rules; those that come find the gateway opened.
func TestButtonBeforeTheRules(t *testing.T) {
	withButton(t, func(t *testing.T, p *pressed) {
		p.hold(6 * time.Second)
		time.Sleep(time.Minute)
		p.rules()
		time.Sleep(2 * time.Second)
		p.want("rules came", openFor-63*time.Second, "1")
	})
}
