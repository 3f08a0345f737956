package fake

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Firewall = (*Firewall)(nil)

// Firewall is one client of a packet filter in memory.
type Firewall struct {
	kernel *kernel
	client int
}

// kernel is the packet filter that all clients share.
type kernel struct {
	clock platform.Clock

	mu           sync.Mutex
	clients      int
	tables       []*table // in the order of their creation
	watchers     map[*watcher]bool
	readers      map[uint16]*logSource
	faults       []Fault
	brNetfilter  bool
	transactions int
}

// watcher is one Watch call.
type watcher struct {
	client  int
	changed chan struct{}
}

// NewFirewall returns a client of a new, empty packet filter. Timeouts and
// limits follow the clock's Mono.
func NewFirewall(clock platform.Clock) *Firewall {
	k := &kernel{clock: clock, watchers: map[*watcher]bool{}, readers: map[uint16]*logSource{}}
	return k.client()
}

func (k *kernel) client() *Firewall {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clients++
	return &Firewall{kernel: k, client: k.clients}
}

// Peer is another client of the same packet filter: to Watch, a stranger.
func (f *Firewall) Peer() *Firewall { return f.kernel.client() }

// Transactions counts the changes that were committed, by whomever.
func (f *Firewall) Transactions() int {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	return f.kernel.transactions
}

// FlushRuleset removes all tables, as `nft flush ruleset` of a stranger does.
func (f *Firewall) FlushRuleset() {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	f.kernel.flush()
}

func (k *kernel) flush() {
	k.tables = nil
	k.committed(0)
}

// BridgeNetfilter turns br_netfilter on: bridged IP packets then skip base
// chains of the bridge's forward hook at priority 0, silently.
func (f *Firewall) BridgeNetfilter(on bool) {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	f.kernel.brNetfilter = on
}

// Apply commits all steps of the change, or none.
func (f *Firewall) Apply(ctx context.Context, change platform.Change) error {
	if err := change.Validate(); err != nil {
		return fmt.Errorf("apply to table %s: %w", change.Table, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("apply to table %s: %w", change.Table, err)
	}
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	if err := f.kernel.apply(f.client, change); err != nil {
		return fmt.Errorf("apply %d steps to table %s: %w", len(change.Steps), change.Table, err)
	}
	return nil
}

func (k *kernel) apply(client int, change platform.Change) error {
	fault := k.take(LostAck, LostRequest, Refused, TooLarge, Truncated, OverlapLost, ForeignFlush)
	switch fault {
	case LostRequest:
		return fmt.Errorf("%w: %w", platform.ErrStateUnknown, enobufs)
	case Refused:
		return einval
	case TooLarge:
		return platform.ErrTooLarge
	case Truncated:
		change = truncate(change)
	}
	if len(change.Steps) == 0 {
		return nil
	}
	if err := k.commit(change, fault == OverlapLost); err != nil {
		return err
	}
	k.committed(client)
	switch fault {
	case LostAck:
		return fmt.Errorf("%w: %w", platform.ErrStateUnknown, enobufs)
	case ForeignFlush:
		k.flush()
	}
	return nil
}

// commit works on a copy of the table and puts it in place at the end.
func (k *kernel) commit(change platform.Change, overlapLost bool) error {
	at := slices.IndexFunc(k.tables, func(t *table) bool {
		return t.family == change.Family && t.name == change.Table
	})
	tx := transaction{now: k.clock.Mono(), family: change.Family, name: change.Table, overlapLost: overlapLost}
	if at >= 0 {
		tx.table = k.tables[at].clone(tx.now)
	}
	for i, step := range change.Steps {
		if err := tx.step(step); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	if err := tx.check(); err != nil {
		return err
	}
	switch {
	case at >= 0 && tx.table == nil:
		k.tables = slices.Delete(k.tables, at, at+1)
	case at >= 0:
		k.tables[at] = tx.table
	case tx.table != nil:
		k.tables = append(k.tables, tx.table)
	}
	return nil
}

// committed tells the watchers of everyone but the client.
func (k *kernel) committed(client int) {
	k.transactions++
	for w := range k.watchers {
		if w.client == client {
			continue
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// Read returns the table as it is now.
func (f *Firewall) Read(ctx context.Context, family platform.Family, name string) (platform.Table, error) {
	k := f.kernel
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return platform.Table{}, fmt.Errorf("read table %s: %w", name, err)
	}
	fault := k.take(FailedRead, StaleRead)
	if fault == FailedRead {
		return platform.Table{}, fmt.Errorf("read table %s: %w", name, enobufs)
	}
	for _, t := range k.tables {
		if t.family == family && t.name == name {
			read := t.read(k.clock.Mono())
			if fault == StaleRead {
				return partOf(read), nil
			}
			return read, nil
		}
	}
	return platform.Table{}, fmt.Errorf("read table %s: %w", name, platform.ErrNoTable)
}

// Watch tells of the changes of other clients.
func (f *Firewall) Watch(ctx context.Context) (<-chan struct{}, error) {
	w := &watcher{client: f.client, changed: make(chan struct{}, 1)}
	f.kernel.mu.Lock()
	f.kernel.watchers[w] = true
	f.kernel.mu.Unlock()
	context.AfterFunc(ctx, func() {
		f.kernel.mu.Lock()
		defer f.kernel.mu.Unlock()
		delete(f.kernel.watchers, w)
		close(w.changed)
	})
	return w.changed, nil
}
