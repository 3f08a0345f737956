package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/collect"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/witness"
)

// run is one run of the lab.
type run struct {
	opts   Options
	cast   *cast.Cast
	ward   *ward.Ward
	stand  *witness.Stand
	stage  *sim.Stage
	screen *screen
	book   *collect.Book
	end    time.Time

	servers, clients group

	// Of a run with an agent:
	broker  *collect.Broker
	console *console
	agent   *agent
	files   gatewayFiles

	// Of a run with a session:
	operator     *operator
	sessionWrong []string
	cuts         []time.Duration // from the command to the intruder's last packet

	stopAgent func() // nil: there is none

	mu       sync.Mutex
	answered map[verdict.Exchange]uint64
	lost     map[verdict.Exchange]uint64
	attempts []sim.Attempt
	faults   []string
}

// Run runs the ward in the current namespaces, which must be the lab's own, and
// returns what came of it. An error says why there was no run to judge.
func Run(ctx context.Context, opts Options) (Summary, error) {
	if err := opts.Check(); err != nil {
		return Summary{}, err
	}
	if !opts.NoAgent && opts.Image == "" {
		self, err := os.Executable()
		if err != nil {
			return Summary{}, fmt.Errorf("find this program: %w", err)
		}
		if opts.Agent, err = findProgram("wardkeeper", opts.Agent, self); err != nil {
			return Summary{}, err
		}
	}
	if opts.Session {
		self, err := os.Executable()
		if err != nil {
			return Summary{}, fmt.Errorf("find this program: %w", err)
		}
		if opts.Wardctl, err = findProgram("wardctl", opts.Wardctl, self); err != nil {
			return Summary{}, err
		}
	}
	c := cast.NewKind(opts.Seed, cast.Kind(opts.Ward))
	r := &run{opts: opts, cast: c, screen: newScreen(opts.Live), end: time.Now().Add(opts.For),
		answered: map[verdict.Exchange]uint64{}, lost: map[verdict.Exchange]uint64{},
		book: collect.NewBook(map[string]string{"patient's family name": c.Patient.Family, "patient's given name": c.Patient.Given, "patient's id": c.Patient.ID})}
	dir, remove, err := workingFolder(opts.Keep)
	if err != nil {
		return Summary{}, err
	}
	defer remove()
	build := ward.Build
	if opts.Image != "" {
		build = ward.BuildApart
	}
	if r.ward, err = build(c); err != nil {
		return Summary{}, err
	}
	defer r.ward.Close()
	if r.stand, err = witness.Watch(r.ward); err != nil {
		return Summary{}, err
	}
	defer r.stand.Close()
	if opts.Record != "" {
		stop, err := record(opts.Record, r.ward.Ports())
		if err != nil {
			return Summary{}, err
		}
		defer stop()
	}
	r.stage = &sim.Stage{Ward: r.ward, Report: r.talk}
	ports := r.ward.Ports()
	r.screen.say("ward of %s up: seed %d, %v, ports %s-%s, uplink %s", c.Site, c.Seed, c.Subnet, ports[0], ports[len(ports)-1], ward.Uplink)
	return r.play(ctx, dir)
}

// workingFolder is where the agent's files go: a folder that stays, if one is
// named, else one that goes.
func workingFolder(keep string) (dir string, remove func(), err error) {
	if keep != "" {
		if err := os.MkdirAll(keep, 0o700); err != nil {
			return "", nil, fmt.Errorf("--keep: %w", err)
		}
		dir, err = filepath.Abs(keep)
		return dir, func() {}, err
	}
	if dir, err = os.MkdirTemp("", "wardlab-"); err != nil {
		return "", nil, fmt.Errorf("working folder: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// play runs the acts in their order.
func (r *run) play(ctx context.Context, dir string) (Summary, error) {
	// The run ends at its time, or when the user has seen enough.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Servers end after their clients: a request that is still answered is not
	// counted as lost.
	r.servers.start(ctx)
	r.clients.start(ctx)
	defer r.servers.stop()
	defer r.clients.stop()

	if err := r.openServers(); err != nil {
		return Summary{}, err
	}
	// An examination is under way when the capture starts. Behind a gateway that
	// is a machine of its own nothing passes before it has started.
	first, then := r.firstExam, func(ctx context.Context) error { return r.openGateway(ctx, dir, cancel) }
	if r.opts.Image != "" {
		first, then = then, first
	}
	defer r.closeGateway()
	if err := first(ctx); err != nil {
		return Summary{}, err
	}
	if err := then(ctx); err != nil {
		return Summary{}, err
	}
	if r.opts.Image != "" { // how long it boots depends on what else this machine does
		r.end = time.Now().Add(r.opts.For)
	}
	defer time.AfterFunc(time.Until(r.end), cancel).Stop()
	if err := r.openWard(ctx); err != nil {
		return Summary{}, err
	}
	notInPlace := r.await(ctx)
	r.intrude(ctx)
	if r.operator != nil && ctx.Err() == nil {
		r.sessionWrong = r.session(ctx)
	}
	<-ctx.Done()
	return r.finish(ctx, notInPlace), nil
}

// openGateway starts the agent, if the run has one.
func (r *run) openGateway(ctx context.Context, dir string, left func()) (err error) {
	if !r.opts.NoAgent {
		r.stopAgent, err = r.startAgent(ctx, dir, left)
	}
	return err
}

func (r *run) closeGateway() {
	if r.stopAgent != nil {
		r.stopAgent()
	}
}

// finish stops the ward from the clients' side, so that nothing is under way
// when the counts are read, then the agent, and judges.
func (r *run) finish(ctx context.Context, notInPlace string) Summary {
	r.clients.stop()
	time.Sleep(300 * time.Millisecond) // what was sent last arrives
	r.servers.stop()
	sound := r.stand.Sound()
	e := verdict.Evidence{Agent: r.agent != nil, Mode: r.opts.Mode, NotInPlace: notInPlace, Witness: sound, Pairs: r.pairs(), Reading: "ring"}
	if r.opts.NoRing {
		e.Reading = "recvmmsg"
	}
	// Before the agent ends; its rules and their counters outlive it anyway.
	kernel, kernelErr := kernelCounters(ctx)
	if r.agent != nil {
		r.closeAgent(&e)
	}
	e.Session = r.sessionWrong
	r.gather(&e)
	s := r.summarise(e)
	s.Kernel, s.Memory = kernel, r.book.Counters()["process.rss_bytes"]
	for _, mode := range r.book.Modes() {
		if mode == "ring" {
			s.Rings++
		}
	}
	if kernelErr != nil && r.agent != nil {
		s.KernelError = kernelErr.Error()
	}
	return s
}
