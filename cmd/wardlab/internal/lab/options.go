package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// Options of a run.
type Options struct {
	For     time.Duration // how long the ward runs
	Seed    uint64
	Ward    string // kind of ward: icu, theatre, lab; "" for the basic one
	Agent   string // program; "" is looked for next to this one
	NoAgent bool
	Image   string // folder of a built image, which a virtual machine runs instead of Agent; "" for none
	UEFI    bool   // the image is booted by firmware from its disk
	Rules   string // folder that replaces the agent's rules
	NoRing  bool   // the agent captures with recvmmsg
	Mode    string // of every segment: enforce or observe
	Session bool   // an operator works with the gateway by wardctl
	Cuts    int    // how often the operator cuts the intruder off
	Wardctl string // program; "" is looked for next to this one
	Console bool   // connect the terminal to the agent's console
	JSON    bool   // the summary as JSON on Out; lines go to Live
	Keep    string // folder for the agent's files, which stay; "": a temporary one
	Record  string // folder for one capture file per ward port, "" for none

	Out  io.Writer // the summary
	Live io.Writer // what happens, as it happens
}

// Times of a run.
const (
	// intrusion is how long the intruder needs, and its events to arrive.
	intrusion = 11 * time.Second
	// sessionTime is how long the operator needs, and cutTime for each further cut.
	sessionTime = 22 * time.Second
	cutTime     = 4 * time.Second
	// leastRun is the shortest run in which anything can be shown.
	leastRun = intrusion + 4*time.Second
)

// start is how long the agent may take to come up. The image boots first, on an
// emulated processor that this machine may have little time for.
func (o *Options) start() time.Duration {
	if o.Image != "" {
		return 90 * time.Second
	}
	return 5 * time.Second
}

// session is how long the operator needs.
func (o *Options) session() time.Duration { return sessionTime + time.Duration(o.Cuts-1)*cutTime }

// after is what follows once enforcement is in place.
func (o *Options) after() time.Duration {
	if o.Session {
		return intrusion + o.session()
	}
	return intrusion
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	if o.For < leastRun {
		return fmt.Errorf("--for %v: the intruder alone needs %v, a run at least %v", o.For, intrusion, leastRun)
	}
	if o.Session && (o.NoAgent || o.Image != "" || o.Console || o.Mode != "enforce") {
		return errors.New("--session wants the agent here, in mode enforce, and its own console")
	}
	if o.Session && (o.Cuts < 1 || o.For < leastRun+o.session()) {
		return fmt.Errorf("--for %v: a run with a session of %d cuts needs %v", o.For, o.Cuts, leastRun+o.session())
	}
	if o.Mode != "enforce" && o.Mode != "observe" && o.Mode != "stage" {
		return fmt.Errorf("--mode %q: want enforce, stage or observe", o.Mode)
	}
	if k := cast.Kind(o.Ward); k != cast.Basic && !slices.Contains(cast.Kinds(), k) {
		return fmt.Errorf("--ward %q: want one of %v", o.Ward, cast.Kinds())
	}
	if o.Ward != "" && o.Image != "" {
		return errors.New("--ward: an image's machine has no port for more devices")
	}
	if o.Console && o.JSON {
		return errors.New("--console and --json both want the terminal")
	}
	if o.UEFI && o.Image == "" {
		return errors.New("--uefi is for --image")
	}
	if o.Image != "" {
		if o.NoAgent || o.Agent != "" || o.Rules != "" {
			return errors.New("--image brings its own agent and rules: none of --no-agent, --agent, --rules goes with it")
		}
		if _, err := os.Stat(filepath.Join(o.Image, "manifest.json")); err != nil {
			return fmt.Errorf("--image %s: no image there: %w (make image)", o.Image, err)
		}
	}
	if o.Rules != "" {
		if s, err := os.Stat(o.Rules); err != nil || !s.IsDir() {
			return fmt.Errorf("--rules %s: no such folder", o.Rules)
		}
	}
	return nil
}

// findProgram returns a program of ours: the one named, else next to this one,
// else in bin/.
func findProgram(name, named, self string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return filepath.Abs(named)
	}
	for _, p := range []string{filepath.Join(filepath.Dir(self), name), filepath.Join("bin", name)} {
		if s, err := os.Stat(p); err == nil && s.Mode().IsRegular() {
			return filepath.Abs(p)
		}
	}
	return "", fmt.Errorf("the program %s is neither next to wardlab nor in bin/: build it (make build)", name)
}
