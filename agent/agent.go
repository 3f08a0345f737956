package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/know/classify"
	"github.com/wardkeeper/wardkeeper/agent/know/inventory"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/operate/console"
	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
	"github.com/wardkeeper/wardkeeper/agent/operate/onsite"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/agent/protect/nac"
	"github.com/wardkeeper/wardkeeper/agent/report/outbox"
	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
	"github.com/wardkeeper/wardkeeper/agent/report/vitals"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Build says which agent this is.
type Build struct {
	Version string
	Time    time.Time // of the sources: no clock is believed that is before it
	// Of the image that the gateway was started from; "" where not known.
	Image, Slot, Kernel string
}

// Agent is everything, wired. Make it with New, then Run it once.
type Agent struct {
	cfg     *config.Config
	know    knowledge
	host    platform.Host
	log     *slog.Logger
	build   Build
	clock   *clock.Clock
	started time.Duration // on the monotonic clock
	board   health.Board

	store    *store.Store
	opened   store.Opened
	queue    *outbox.Queue
	box      *outbox.Box
	recent   *console.Recent
	journal  *console.Journal
	by       Supervisor
	devices  *inventory.Task
	ports    []*capture.Task
	readers  []*extract.Extractor // of the ports
	enforce  *enforce.Task
	denies   *enforce.Denies
	nac      *nac.Task
	codes    *onsite.Codes
	identity *enrol.Identity // nil: no key configured, or no TLS
	uplink   *uplink.Uplink  // nil: no broker configured
	command  *command.Task   // nil: no broker, or no root of trust
	stages   [][]Task

	life context.Context         // ends with what ends the agent from within
	end  context.CancelCauseFunc // ends it, for a task that must not wait for that
}

// Bounds of what waits in memory.
const (
	queueEvents  = 4096
	recentDenies = 64
	journalLines = 500 // of the log, at most 200 KB
)

// ErrAgain marks an error of New that a new start may not meet again: the
// database is in use or in an unknown state, which the next preflight ends.
var ErrAgain = errors.New("start the agent again")

// New wires the rooms in the order of the data path. Unless it wraps ErrAgain,
// the error names what is wrong with the configuration, the rules or the
// policy; the network, the disk and the broker may be in any state.
func New(ctx context.Context, cfg *config.Config, host platform.Host, log *slog.Logger, build Build, by Supervisor) (*Agent, error) {
	journal := console.NewJournal(log.Handler(), journalLines)
	log = slog.New(journal)
	a := &Agent{cfg: cfg, host: host, log: log, journal: journal, by: by, build: build, clock: clock.New(host.Clock, build.Time), started: host.Clock.Mono(), codes: onsite.NewCodes()}
	a.life, a.end = context.WithCancelCause(context.Background())
	know, err := loadKnowledge(cfg)
	if err != nil {
		return nil, err
	}
	a.know = know
	pol, err := readPolicy(cfg, know)
	if err != nil {
		return nil, err
	}
	hooks, err := a.hooks()
	if err != nil {
		return nil, err
	}
	if err := a.openStore(ctx); err != nil {
		return nil, fmt.Errorf("%w; %w", err, ErrAgain)
	}

	// report, the far end first: everyone emits into it
	a.queue = outbox.NewQueue(queueEvents)
	a.recent = console.NewRecent(a.queue, recentDenies)
	a.box, err = outbox.Open(a.store, a.queue, outbox.Options{Site: cfg.Site.Name, Gateway: cfg.Gateway, Epoch: a.opened.Epoch, MaxBytes: cfg.Outbox.CapBytes, Clock: a.clock, Board: &a.board, Log: log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w; %w", err, ErrAgain), a.store.Close())
	}
	a.tellStore()

	// know
	classifier := classify.New(classify.Options{Rules: know.rules, Registry: know.vendors, Internal: cfg.Site.Internal})
	book := inventory.NewBook(inventory.DefaultLimits(), classifier, know.vendors, a.recent)
	a.devices = inventory.NewTask(book, newDeviceRoom(a.store, deviceBucket), newDeviceRoom(a.store, useBucket), a.clock, &a.board, log)

	// observe: one goroutine a port, straight into the inventory's queue
	share := cfg.Observe.PerPort(len(cfg.Ports.Ward))
	for _, port := range cfg.Ports.Ward {
		x := extract.New(extract.Options{Port: port, Flows: share.Flows, Streams: share.Streams, StreamBytes: share.StreamBytes, Sink: a.devices.Offer})
		a.readers = append(a.readers, x)
		a.ports = append(a.ports, capture.NewTask(capture.Options{Port: port, Capture: host.Capture,
			Choices: platform.CaptureOptions{RingBytes: cfg.Observe.RingBytes, NoRing: cfg.Observe.Recvmmsg}, Clock: a.clock, Board: &a.board, Log: log}, x))
	}

	// protect
	sent := ""
	if p, text, err := a.startPolicy(); err != nil {
		log.Error("the policy that was sent cannot be read", "err", err) // command tells it and tries again
	} else if p != nil {
		pol, sent = p, text
	}
	var pressed enforce.Button
	if by.Button != "" {
		pressed = button{by.Button}
	}
	a.enforce = enforce.New(enforce.Options{Button: pressed, Firewall: host.Firewall, Links: host.Links, Inventory: a.devices, Store: kept.Open(filepath.Join(cfg.State, rulesDir)), Clock: a.clock,
		Board: &a.board, Events: a.recent, Log: log, Policy: pol, Roles: know.rules.Roles.Class, Lab: cfg.Lab, Internal: cfg.Site.Internal,
		Uplink: cfg.Ports.Uplink, Ward: cfg.Ports.Ward})
	a.denies = enforce.NewDenies(a.enforce)
	a.nac = nac.New(nac.Options{Hooks: hooks, Ledger: a.store.Room(ledgerBucket), Inventory: a.devices, Wire: wire{a},
		Counts:  func(d *device.Device) bool { yes, _ := a.enforce.LifeSustaining(d.ID); return yes },
		Settled: a.enforce.Settled, Open: a.openFor, Clock: a.clock, Board: &a.board, Events: a.recent, Log: log})

	a.stages = a.list(sent)
	return a, nil
}

// list is everything that runs, in the order in which it ends: the data path.
// sent is the policy that people sent and that is in force.
func (a *Agent) list(sent string) [][]Task {
	edge := []Task{newSigns(a, a.by), a.denies}
	for _, p := range a.ports {
		edge = append(edge, p)
	}
	if a.cfg.Console.Device != "" {
		edge = append(edge, console.New(console.Options{Serial: a.host.Serial, Device: a.cfg.Console.Device, Baud: a.cfg.Console.Baud,
			Source: consoleView{a}, Clock: a.clock, Board: &a.board, Log: a.log, Glass: a.enforce, BreakGlass: a.cfg.Console.BreakGlass,
			Codes: a.codes, Journal: a.journal, Events: a.recent}))
	}
	var broker []Task
	if a.cfg.Uplink.URL != "" {
		broker = a.toBroker()
		if a.cfg.Manage.Root != "" { // else nobody is obeyed, and nothing heard
			a.command = a.obey(sent)
			edge = append(edge, a.command)
		}
	}
	out := [][]Task{edge, {a.devices}, {a.enforce, a.nac},
		{vitals.New(vitals.Options{Board: &a.board, Clock: a.clock, Events: a.queue, Disk: a.host.Disk, State: a.cfg.State, Counters: a.counters, Ports: a.healthPorts})},
		{a.box, newGuard(a)}}
	if broker != nil {
		out = append(out, broker)
	}
	return out
}

// toBroker is the uplink, and who the gateway is to the broker.
func (a *Agent) toBroker() []Task {
	up := a.cfg.Uplink
	u, _ := url.Parse(up.URL) // config has checked it
	broker := uplink.Broker{URL: u, CA: up.CA, ClientID: a.cfg.Gateway, Dial: a.host.Dial, Now: func() time.Time { return a.clock.Now().Wall }}
	var tasks []Task
	if u.Scheme == "mqtts" && up.Key != "" {
		a.identity = enrol.New(enrol.Options{Gateway: a.cfg.Gateway, CA: up.CA, Cert: up.Cert, Key: up.Key, Own: filepath.Dir(a.cfg.State),
			Clock: a.clock, Board: &a.board, Log: a.log})
		broker.Certificate = a.identity.Certificate
		broker.Now = func() time.Time { // a box that has slept for years knows by its own certificate that they have passed
			now, since := a.clock.Now().Wall, a.identity.Status().Since
			if now.Before(since) {
				return since
			}
			return now
		}
		tasks = append(tasks, a.identity)
	}
	opt := uplink.Options{Site: a.cfg.Site.Name, Gateway: a.cfg.Gateway, Epoch: a.opened.Epoch, Source: a.box, Dialer: broker,
		Clock: a.clock, Board: &a.board, Log: a.log, State: a.gatewayState}
	if a.cfg.Manage.Root != "" {
		opt.Inbound, opt.Reached, opt.Groups = a.inbound, a.reached, a.cfg.Manage.Groups
	}
	a.uplink = uplink.New(opt)
	return append(tasks, a.uplink)
}

// Tasks names everything that will run.
func (a *Agent) Tasks() []string {
	var out []string
	for _, t := range slices.Concat(a.stages...) {
		out = append(out, t.String())
	}
	return out
}

// Run runs the tasks until ctx ends or one fails. The rules in the kernel stay.
func (a *Agent) Run(ctx context.Context) error {
	a.log.Info("agent starts", "version", a.build.Version, "gateway", a.cfg.Gateway, "epoch", a.opened.Epoch)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	err := runAll(ctx, a.stages)
	err = errors.Join(context.Cause(a.life), err)
	if cerr := a.store.Close(); cerr != nil && err == nil {
		err = cerr
	}
	return err
}

// ledgerBucket is where nac keeps what the network outside was asked for.
const ledgerBucket = "nac"

// What is in the state folder: the database, and apart from it what the rules
// in force were made of, which must be had without it.
const (
	storeFile = "wardkeeper.db"
	rulesDir  = "rules"
)

// roomForRest is what the store may hold beside the outbox: 4096 devices of
// some KiB, the rules in force, and the pages that copy-on-write needs.
const roomForRest = 32 << 20

// storeSize is what is set aside, all of it written at the first start. An
// outbox that was full for long took up to 1.43 times its cap (measured with
// records of 200 bytes to 4 KB). By default it is 80 MiB: some 8 s once on a
// slow eMMC (10 MB/s), less than half of a day's budget of writes, and days
// without a broker at one event a second.
func storeSize(outboxCap int64) int64 { return outboxCap + outboxCap/2 + roomForRest }

func (a *Agent) openStore(ctx context.Context) error {
	var err error
	a.store, a.opened, err = store.Open(ctx, store.Options{Path: filepath.Join(a.cfg.State, storeFile), Size: storeSize(a.cfg.Outbox.CapBytes),
		Preflight: func(ctx context.Context, path string) error { return a.host.Self.Run(ctx, "db-check", path) }})
	return err
}

// tellStore reports a database that was lost, or cannot be had.
func (a *Agent) tellStore() {
	now := a.clock.Now()
	if a.opened.Reset {
		a.log.Error("database damaged, a new one begun", "aside", a.opened.Aside, "reason", a.opened.Reason)
		a.recent.Emit(event.Event{Class: event.Alert, At: now, Body: event.Warning{Signal: "store.reset",
			Text:   "the database failed its check and was moved aside: " + a.opened.Reason,
			Advice: "events not yet sent and the devices learned are lost; look at the storage of this gateway"}})
	}
	if a.opened.RAM {
		a.log.Error("no database, remembering in memory only", "reason", a.opened.Reason)
		a.board.Set(health.Condition{Code: memoryCode, Severity: health.Failure, Text: a.opened.Reason, Since: now.Wall})
	}
}
