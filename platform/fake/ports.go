package fake

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Links = (*Ports)(nil)

// Ports are the network ports of the box: its Links, and what its captures
// listen on. Knobs: Add, Remove and Change a port, Inject frames, Lose some,
// and RefuseCapture.
type Ports struct {
	clock *Clock

	mu       sync.Mutex
	links    map[string]platform.Link
	index    int // of the port added last
	watchers map[chan struct{}]bool
	sources  map[*source]bool
	refused  map[string]error
}

func newPorts(clock *Clock) *Ports {
	return &Ports{
		clock:    clock,
		links:    make(map[string]platform.Link),
		watchers: make(map[chan struct{}]bool),
		sources:  make(map[*source]bool),
		refused:  make(map[string]error),
	}
}

// Add makes a port appear, up and with carrier. Its index is a new one each
// time, whatever the link says; a missing MAC is made of it.
func (p *Ports) Add(link platform.Link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.index++
	link.Index, link.Up, link.Carrier = p.index, true, true
	if link.MAC == ([6]byte{}) {
		link.MAC = [6]byte{2, 0, 0, 0, byte(p.index >> 8), byte(p.index)}
	}
	p.links[link.Name] = link
	p.notify()
}

// Remove makes a port vanish under those who use it.
func (p *Ports) Remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, name)
	for s := range p.sources {
		if s.port == name {
			s.gone = true
			s.changed.wake()
		}
	}
	p.notify()
}

// Change changes what is said of a port: its carrier, its bridge, its bus.
func (p *Ports) Change(name string, change func(*platform.Link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	link, ok := p.links[name]
	if !ok {
		return
	}
	change(&link)
	p.links[name] = link
	p.notify()
}

// Link describes one port.
func (p *Ports) Link(name string) (platform.Link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(name)
}

func (p *Ports) find(name string) (platform.Link, error) {
	link, ok := p.links[name]
	if !ok {
		return platform.Link{}, fmt.Errorf("find port %s: %w", name, platform.ErrNoPort)
	}
	return link, nil
}

// Links lists all ports.
func (p *Ports) Links() ([]platform.Link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.links), func(a, b platform.Link) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// Watch tells of changes to ports.
func (p *Ports) Watch(ctx context.Context) (<-chan struct{}, error) {
	changed := make(chan struct{}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers[changed] = true
	context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, changed)
		close(changed)
	})
	return changed, nil
}

func (p *Ports) notify() {
	for changed := range p.watchers {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}
