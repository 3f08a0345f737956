package main

import (
	"context"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// toRescue removes what may be half a ruleset. The bridge passes everything
// until the agent has loaded and read back a generation. gone is closed once the
// preloading program can put no more rules in place; nil where none was started.
func (b *box) toRescue(why error, gone <-chan struct{}) {
	b.rescue = why.Error()
	var clearing context.Context
	clearing, b.unclear = context.WithCancel(context.Background())
	err := b.clearRules(clearing)
	if err != nil {
		b.say.alarm("RESCUE: all ports are bridged, but old rules could not be deleted (%v): %v", err, why)
	} else {
		b.say.alarm("RESCUE: nothing is filtered, all ports are bridged: %v", why)
	}
	go b.keepClear(clearing, gone, err)
}

// keepClear deletes what could not be deleted at once, and what a program that
// was left behind put in place after that, until the agent gives a sign: what it
// finds then, it makes its own.
func (b *box) keepClear(ctx context.Context, gone <-chan struct{}, err error) {
	for err != nil || gone != nil {
		var again <-chan time.Time
		if err != nil {
			again = time.After(clearAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-gone:
			gone = nil
		case <-again:
		}
		if err = b.clearRules(ctx); err == nil {
			b.say.info("rescue: no rules are left")
		}
	}
}

// How long the kernel may take to delete the rules, and when it is asked again.
const clearLimit, clearAgain = time.Second, time.Second

func (b *box) clearRules(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clearLimit)
	defer cancel()
	return b.firewall.Apply(ctx, platform.Change{Family: platform.FamilyBridge, Table: policy.TableName, Steps: []platform.Step{{DeleteTable: &struct{}{}}}})
}
