package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
)

// bench measures a built image against the goals of its size and times.
type bench struct {
	dir    string // of the image
	runs   int    // of each kind of boot
	stdout io.Writer
}

// Goals: MB of the disk, gzipped; seconds from power-on to enforcing; MiB of the
// agent with a ward around it and one ring.
const (
	goalSize   = 25.0
	goalDirect = 6.0
	goalUEFI   = 14.0
	goalMemory = 24.0
)

// enforcing is what PID 1 says once the rules are in place and the bridge is up.
const enforcing = "the ward is connected, filtered by the rules"

// bootLimit ends a boot that does not come to that.
const bootLimit = 2 * time.Minute

// Debian's UEFI for the machine, and its empty variables.
const (
	firmware     = "/usr/share/AAVMF/AAVMF_CODE.fd"
	firmwareVars = "/usr/share/AAVMF/AAVMF_VARS.fd"
)

func parseBench(args []string, stdout, stderr io.Writer) (*bench, error) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	b := &bench{stdout: stdout}
	fs.StringVar(&b.dir, "image", "", "")
	fs.IntVar(&b.runs, "runs", 3, "")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case b.dir == "":
		return nil, errors.New("--image is missing")
	case b.runs < 1:
		return nil, fmt.Errorf("--runs %d: want 1 or more", b.runs)
	}
	return b, nil
}

func (b *bench) run(ctx context.Context) error {
	if err := missing([]tool{emulator()}); err != nil {
		return err
	}
	if _, err := os.Stat(firmware); err != nil {
		return errors.New("UEFI for arm64 missing: apt-get install qemu-efi-aarch64")
	}
	var m images.Manifest
	text, err := os.ReadFile(filepath.Join(b.dir, manifestFile))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return fmt.Errorf("read manifest (make image): %w", err)
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Fprintf(b.stdout, "image %s of %s, on %d processors with load %s; times say little where others use them\n",
		m.Version, m.Board, runtime.NumCPU(), strings.Fields(string(load))[0])
	size, err := gzipped(b.file(diskFile))
	if err != nil {
		return err
	}
	b.report("disk, gzip", float64(size)/1e6, "MB", goalSize)
	direct := []string{"-kernel", b.file(kernelFile), "-initrd", b.file(initrdFile), "-append", m.Cmdline}
	uefi := []string{"-drive", "if=pflash,format=raw,readonly=on,file=" + firmware, "-drive", "if=pflash,format=raw,snapshot=on,file=" + firmwareVars}
	for _, kind := range []struct {
		name string
		args []string
		goal float64
	}{{"power-on to enforcing, by kernel", direct, goalDirect}, {"power-on to enforcing, by UEFI", uefi, goalUEFI}} {
		took, err := b.boots(ctx, kind.args)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		b.report(kind.name, took.Seconds(), "s", kind.goal)
	}
	memory, rings, err := b.memory(ctx)
	if err != nil {
		return fmt.Errorf("agent with a ward around it: %w", err)
	}
	fmt.Fprintf(b.stdout, "%-34s %6.1f MiB  %d rings of %d MiB in it\n", "agent's memory in the ward", memory, rings, ringMiB)
	b.report("the same with one ring", memory-float64(ringMiB*(rings-1)), "MiB", goalMemory)
	return nil
}

func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) report(what string, value float64, unit string, goal float64) {
	verdict := ""
	if value > goal {
		verdict = "  MISSED"
	}
	fmt.Fprintf(b.stdout, "%-34s %6.1f %-3s  goal %2.0f%s\n", what, value, unit, goal, verdict)
}

// boots is the median time of a few boots. Each is a first boot: what it writes
// is forgotten.
func (b *bench) boots(ctx context.Context, boot []string) (time.Duration, error) {
	args := append([]string{"-device", "i6300esb", "-watchdog-action", "reset", "-device", "virtio-rng-pci",
		"-drive", "if=none,id=disk,format=raw,snapshot=on,file=" + b.file(diskFile), "-device", "virtio-blk-pci,drive=disk,romfile="}, boot...)
	for i := range 6 { // the board's ports
		args = append(args, "-netdev", fmt.Sprintf("user,id=n%d,restrict=on", i), "-device", fmt.Sprintf("virtio-net-pci,netdev=n%d,romfile=", i))
	}
	took := make([]time.Duration, b.runs)
	for i := range took {
		var last string
		ctx, cancel := context.WithTimeout(ctx, bootLimit)
		err := machine{memory: 512, args: args}.run(ctx, func(at time.Duration, line string) bool {
			if last = line; strings.Contains(line, enforcing) {
				took[i] = at
			}
			return took[i] == 0
		})
		cancel()
		if err == nil && took[i] == 0 {
			err = errors.New("the machine is off")
		}
		if err != nil {
			return 0, fmt.Errorf("not %q: %w; it said last: %s", enforcing, err, last)
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// ringMiB is the default of observe.ring_mib, which wardlab leaves as it is.
const ringMiB = 4

// memory lets wardlab run a ward around the image, and returns what the agent
// says of its own memory, in MiB, and how many rings are in it. A ring is in
// memory as a whole, from the beginning.
func (b *bench) memory(ctx context.Context) (mib float64, rings int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(self), "wardlab"), "run", "--image", b.dir, "--for", "70s", "--json")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var s struct {
		Reasons []string `json:"reasons"`
		Memory  uint64   `json:"agent_memory"`
		Rings   int      `json:"agent_rings"`
	}
	if jsonErr := json.Unmarshal(out, &s); jsonErr != nil {
		return 0, 0, errors.Join(err, fmt.Errorf("read wardlab's summary: %w", jsonErr))
	}
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("wardlab: %w: %s", err, strings.Join(s.Reasons, "; "))
	case s.Memory == 0:
		return 0, 0, errors.New("no health record came")
	}
	return float64(s.Memory) / (1 << 20), s.Rings, nil
}

// gzipped is the size of the file under gzip -6, in bytes.
func gzipped(file string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var n count
	z := gzip.NewWriter(&n)
	if _, err := io.Copy(z, f); err != nil {
		return 0, fmt.Errorf("read %s: %w", file, err)
	}
	err = z.Close() // writes the rest
	return int64(n), err
}

// count counts what is written to it.
type count int64

func (c *count) Write(b []byte) (int, error) { *c += count(len(b)); return len(b), nil }
