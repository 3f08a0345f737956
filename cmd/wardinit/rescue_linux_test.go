package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// rescued is a box in rescue, in a bubble.
type rescued struct {
	*box
	t    *testing.T
	fw   *fake.Firewall
	gone chan struct{} // of the preloading program
}

func inRescue(t *testing.T, before func(r *rescued), do func(r *rescued)) {
	synctest.Test(t, func(t *testing.T) {
		host := fake.New()
		r := &rescued{t: t, fw: host.Firewall, gone: make(chan struct{})}
		r.box = &box{say: newSpeaker(), firewall: host.Firewall.Peer()}
		before(r)
		r.toRescue(errors.New("no rules after 10s"), r.gone)
		do(r)
		r.unclear()
	})
}

// lay puts the rules in place that a preload does.
func (r *rescued) lay() {
	r.t.Helper()
	c, err := policy.Compile(policy.Input{Policy: policy.None(), Uplink: "eth0"})
	if err == nil {
		err = r.fw.Apply(context.Background(), c.Table(1).Load())
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rescued) want(what string, rules bool) {
	r.t.Helper()
	synctest.Wait()
	_, err := r.fw.Read(context.Background(), platform.FamilyBridge, policy.TableName)
	if is := err == nil; is != rules || err != nil && !errors.Is(err, platform.ErrNoTable) {
		r.t.Errorf("%s: rules in place %v, %v; want %v", what, is, err, rules)
	}
}

// TestRescueClearsLateRules: a program that the disk held puts its rules in place
// after the ward was let through. They go, unless an agent is there that has made
// them its own.
func TestRescueClearsLateRules(t *testing.T) {
	inRescue(t, (*rescued).lay, func(r *rescued) {
		r.want("at once", false)
		time.Sleep(time.Hour)
		r.lay()
		close(r.gone)
		r.want("it is gone", false)
		r.lay()
		time.Sleep(time.Hour)
		r.want("others' later", true)
	})
	inRescue(t, func(*rescued) {}, func(r *rescued) {
		r.unclear() // the agent gave a sign
		synctest.Wait()
		r.lay()
		close(r.gone)
		r.want("with an agent", true)
	})
}

// TestRescueTriesAgain: a kernel that refuses once is asked again.
func TestRescueTriesAgain(t *testing.T) {
	inRescue(t, func(r *rescued) {
		r.lay()
		r.fw.Inject(fake.Refused, fake.Refused)
	}, func(r *rescued) {
		r.want("at once", true)
		time.Sleep(3 * clearAgain)
		r.want("seconds later", false)
		close(r.gone)
	})
}
