//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/wardkeeper/wardkeeper/agent"
	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// Exit codes, as sysexits.h names them.
const (
	exitFailed = 1  // check found something
	exitUsage  = 64 // EX_USAGE
	exitAgain  = 75 // EX_TEMPFAIL: a task or the database failed; start it again
	exitConfig = 78 // EX_CONFIG: a file that people write is wrong; a new start will not help
)

const usage = `usage:
  wardkeeper run   [--config FILE]   run the agent until SIGTERM
  wardkeeper check [--config FILE]   read all files, look at the ports, change nothing
  wardkeeper preload [--config FILE] put the last confirmed rules into the kernel and read
                                     them back, before the ports are up (PID 1 calls it)
  wardkeeper version
`

// defaultConfig is where the image has the configuration.
const defaultConfig = "/etc/wardkeeper/wardkeeper.toml"

func main() {
	if err := linux.KeepMemory(); err != nil { // the ward needs its rules all the same
		fmt.Fprintln(os.Stderr, "wardkeeper:", err)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.SetOutput(stderr)
	file := fs.String("config", defaultConfig, "configuration `FILE`")
	signs := fs.Int("signs", 0, "of run: `FD` that PID 1 listens to for signs of life, 0 for none")
	rescue := fs.String("rescue", "", "of run: why PID 1 let the ward through without rules")
	data := fs.String("data", "", "of run: what PID 1 found wrong with the data partition")
	button := fs.String("button", "", "of run: `FILE` in which PID 1 records the break-glass button")
	fault := fs.Int("fault", 0, "of run, a test of PID 1, which alone may ask for it: the `NUMBER` of the fault that a task acts out once the rules are in place; each task hangs, then panics, in turn")
	if err := fs.Parse(args[1:]); err != nil {
		return exitUsage
	}
	if *fault != 0 && *signs <= 2 {
		fmt.Fprintln(stderr, "wardkeeper: -fault is for PID 1, which listens with -signs")
		return exitUsage
	}
	switch args[0] {
	case "run":
		by := agent.Supervisor{Rescue: *rescue, Data: *data, Button: *button, Fault: *fault}
		if *signs > 2 {
			by.Signs = signsFile(*signs)
		}
		return runAgent(*file, by, stderr)
	case "preload":
		return preload(*file, stdout, stderr)
	case "check":
		return check(*file, stdout, stderr)
	case "version":
		fmt.Fprintln(stdout, "wardkeeper", build().Version)
		return 0
	case "db-check": // the preflight, see platform.Self; not for people
		if err := store.Check(fs.Arg(0)); err != nil {
			fmt.Fprintln(stderr, err)
			return exitFailed
		}
		return 0
	}
	fmt.Fprintf(stderr, "wardkeeper: unknown command %q\n%s", args[0], usage)
	return exitUsage
}

func runAgent(file string, by agent.Supervisor, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	a, err := newAgent(ctx, file, by, log)
	switch {
	case err != nil && ctx.Err() != nil: // SIGTERM came before anything ran
		return 0
	case errors.Is(err, agent.ErrAgain):
		log.Error("agent did not start", "err", err)
		return exitAgain
	case err != nil:
		fmt.Fprintln(stderr, "wardkeeper:", err)
		return exitConfig
	}
	if err := a.Run(ctx); err != nil {
		log.Error("agent ended", "err", err)
		return exitAgain
	}
	return 0
}

// newAgent makes the agent with the configuration to run with. One that people
// sent, and that the agent refuses, must not have PID 1 give up the gateway's own
// as well: then nobody would take it back.
func newAgent(ctx context.Context, file string, by agent.Supervisor, log *slog.Logger) (*agent.Agent, error) {
	host := linux.New(linux.Options{})
	cfg, err := configured(file, host, log)
	if err != nil {
		return nil, err
	}
	a, err := agent.New(ctx, cfg, host, log, build(), by)
	if err == nil || errors.Is(err, agent.ErrAgain) || cfg.Desired == "" {
		return a, err
	}
	log.Error("the configuration that was sent is not used, the file is", "err", err)
	if cfg, err = readConfig(file); err != nil {
		return nil, err
	}
	return agent.New(ctx, cfg, host, log, build(), by)
}

// preload does without a configuration that cannot be read: rules that were in
// force must be back whatever became of the file.
func preload(file string, stdout, stderr io.Writer) int {
	cfg, err := readConfig(file)
	if err != nil {
		fmt.Fprintln(stderr, "wardkeeper:", err)
		if cfg, err = config.Parse("built-in configuration", nil); err != nil {
			return exitConfig
		}
		cfg.Ports.Uplink = "" // the kept rules know it better than a default does
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if err := agent.Preload(context.Background(), cfg, linux.New(linux.Options{}), log, build(), stdout); err != nil {
		fmt.Fprintln(stderr, "wardkeeper:", err)
		return exitFailed
	}
	return 0
}

func check(file string, stdout, stderr io.Writer) int {
	cfg, err := readConfig(file)
	if err == nil {
		err = agent.Check(cfg, linux.New(linux.Options{}), stdout)
	}
	if err != nil {
		for _, e := range split(err) {
			fmt.Fprintln(stderr, "wardkeeper:", e)
		}
		return exitFailed
	}
	fmt.Fprintln(stdout, "ok")
	return 0
}

// split takes joined errors apart, one a line.
func split(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// configured is the configuration to run with.
func configured(file string, host platform.Host, log *slog.Logger) (*config.Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return agent.Configured(file, data, host.Clock, build().Time, log)
}

func readConfig(file string) (*config.Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return config.Parse(file, data)
}

// build is what Go recorded of the sources, the VCS revision and its time, and
// what the image says.
func build() agent.Build {
	return started(recorded(), procFile("cmdline"), procFile("sys/kernel/osrelease"))
}

func recorded() agent.Build {
	b := agent.Build{Version: "unknown"}
	// An image's files all have the time of its sources.
	if st, err := os.Stat("/proc/self/exe"); err == nil {
		b.Time = st.ModTime()
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			b.Version = s.Value[:12]
		case s.Key == "vcs.time":
			if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
				b.Time = at
			}
		}
	}
	return b
}

// signsFile is the descriptor that the supervisor listens on. It came over an exec
// and must not go over the next: hooks have no business with it.
func signsFile(fd int) *os.File {
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "signs")
}
