package fake

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// logQueue is how many entries wait for a reader before they are lost.
const logQueue = 1024

// logSource is the reader of one NFLOG group.
type logSource struct {
	kernel  *kernel
	group   uint16
	entries chan platform.LogEntry
	lost    atomic.Uint64
	once    sync.Once
	closed  chan struct{}
}

// Logged opens an NFLOG group.
func (f *Firewall) Logged(group uint16) (platform.LogSource, error) {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	if f.kernel.readers[group] != nil {
		return nil, fmt.Errorf("open nflog group %d: it has another reader: %w", group, eperm)
	}
	l := &logSource{
		kernel: f.kernel, group: group,
		entries: make(chan platform.LogEntry, logQueue), closed: make(chan struct{}),
	}
	f.kernel.readers[group] = l
	return l, nil
}

// Next returns the next entry.
func (l *logSource) Next(wait time.Duration) (platform.LogEntry, error) {
	select {
	case <-l.closed:
		return platform.LogEntry{}, platform.ErrClosed
	case e := <-l.entries:
		return e, nil
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.closed:
		return platform.LogEntry{}, platform.ErrClosed
	case e := <-l.entries:
		return e, nil
	case <-timer.C:
		return platform.LogEntry{}, platform.ErrNoFrame
	}
}

// Lost counts the entries that found the queue full.
func (l *logSource) Lost() uint64 { return l.lost.Load() }

// Close frees the group.
func (l *logSource) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.kernel.mu.Lock()
		defer l.kernel.mu.Unlock()
		delete(l.kernel.readers, l.group)
	})
	return nil
}

// log hands a packet to the reader of the rule's group, if there is one.
func (k *kernel) log(l platform.Log, p *packet) {
	reader := k.readers[l.Group]
	if reader == nil {
		return
	}
	network := p.network
	if l.Snaplen != 0 && int(l.Snaplen) < len(network) {
		network = network[:l.Snaplen]
	}
	e := platform.ParseLogEntry(p.link, p.protocol, network)
	e.Prefix, e.Time, e.In, e.Out = l.Prefix, k.clock.Now().UnixNano(), p.in, p.out
	if p.tagged {
		e.VLAN = p.tci & 0xfff
	}
	select {
	case reader.entries <- e:
	default:
		reader.lost.Add(1)
	}
}
