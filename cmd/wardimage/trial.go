package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
)

// trial runs tests on the kernel of a board, in a virtual machine.
type trial struct {
	build
	stdout  io.Writer
	logFile string // what the machine says, with seconds since power-on
}

// subject is tests of a package.
type subject struct {
	folder string
	filter string // arguments of the test binary, "" for all tests
	data   string // folder of files that they read, besides their own; "" for none
}

// netfilter is the module under which rules of the wrong priority see no packet
// (the first trap). An image must not have it; once it is loaded the bridge of a
// gateway is refused, so the tests that want it come last.
const netfilter = "br_netfilter"

func subjects() (without, with []subject) {
	const rules = "agent/protect/policy/testdata"
	return []subject{
			{folder: "platform/linux/rig"},
			{folder: "platform/linux", filter: "-test.skip=^(TestPriorityZeroIsBypassed|TestFirewallHarshHost)$"},
			// on the fake, for the processor's sake; what takes minutes here is done on the host
			{folder: "agent/protect/enforce", filter: "-test.skip=^(TestFaultsAtEveryStep|TestKilledBetweenTransactions)$"},
			{folder: "cmd/wardlab", filter: "-test.short -test.run=OnKernel|KernelTrap(0[2-9]|1)", data: rules},
		}, []subject{
			{folder: "platform/linux", filter: "-test.run=^(TestPriorityZeroIsBypassed|TestFirewallHarshHost)$"},
			{folder: "cmd/wardlab", filter: "-test.run=KernelTrap01", data: rules},
		}
}

// mayskip are the tests that may be skipped in the machine, and why.
func mayskip() map[string]string {
	const nft = "asks the program nft, and the machine has none; it runs on the host"
	return map[string]string{"TestNftReadsUs": nft, "TestForeignRules": nft, "TestForeignFlush": nft,
		"TestReadExt4": "asks the program mke2fs, and the machine has none; it runs on the host"}
}

// trialLimit ends a machine that hangs: five times what it takes.
const trialLimit = 10 * time.Minute

func parseTrial(args []string, stdout, stderr io.Writer) (*trial, error) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	t := &trial{stdout: stdout}
	board := fs.String("board", "", "")
	fs.StringVar(&t.cache.dir, "cache", "", "")
	fs.StringVar(&t.logFile, "log", os.DevNull, "")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	t.log = slog.New(slog.NewTextHandler(stderr, nil))
	return t, errors.Join(t.readBoard(*board), t.cache.settle())
}

func (t *trial) run(ctx context.Context) (err error) {
	if err := missing(append(tools(), emulator())); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "wardimage-test-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := openStage(filepath.Join(dir, "machine"))
	if err != nil {
		return err
	}
	pkgs, err := t.cache.packages(ctx, t.board.Arch, t.board.KernelPackage, stubPackage)
	if err != nil {
		return err
	}
	k, err := t.kernel(ctx, s, pkgs[t.board.KernelPackage], pkgs[stubPackage])
	if err != nil {
		return err
	}
	t.log.Info("compile tests", "arch", t.board.Arch)
	if err := t.compile(ctx, s); err != nil {
		return err
	}
	if err := t.pack(s, k); err != nil {
		return fmt.Errorf("pack tests: %w", err)
	}
	t.log.Info("run tests", "kernel", k.version)
	ctx, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	without, with := subjects()
	v := &verdict{out: t.stdout, mayskip: mayskip(), want: len(without) + len(with)}
	log, err := os.Create(t.logFile)
	if err != nil {
		return err
	}
	defer log.Close()
	// The kernel's own messages would break the lines of the tests.
	m := machine{memory: 1024, args: []string{"-kernel", s.result(kernelFile), "-initrd", s.work("initrd"),
		"-append", fmt.Sprintf("console=%s,%d loglevel=1 panic=1 oops=panic", t.board.Console.Device, t.board.Console.Baud)}}
	err = m.run(ctx, func(at time.Duration, line string) bool {
		fmt.Fprintf(log, "%6.1f %s\n", at.Seconds(), line)
		v.line(line)
		return true
	})
	return errors.Join(err, v.end(), log.Close())
}

// compile makes PID 1 of the machine and the test binaries.
func (t *trial) compile(ctx context.Context, s *stage) error {
	if _, err := t.golang(ctx, "build", "-ldflags=-s -w", "-o", s.work("testinit"), module+"/cmd/wardlab/internal/testinit"); err != nil {
		return err
	}
	packages, _ := subjects() // the others are of the same
	for _, p := range packages {
		if _, err := t.golang(ctx, "test", "-c", "-ldflags=-s -w", "-o", s.work("tests", p.folder+".test"), module+"/"+p.folder); err != nil {
			return err
		}
	}
	return nil
}

// pack writes the initramfs: as an image's, with other contents.
func (t *trial) pack(s *stage, k kernel) error {
	nodes, err := k.nodes()
	if err != nil {
		return err
	}
	tree := folders{}
	if err := tree.add("init", s.work("testinit"), 0o755); err != nil {
		return err
	}
	without, with := subjects()
	for _, p := range without {
		if err := tree.add(path.Join("src", p.folder, "package.test"), s.work("tests", p.folder+".test"), 0o755); err != nil {
			return err
		}
		for _, dir := range []string{p.folder + "/testdata", p.data} {
			if err := tree.addAll("src", dir); err != nil {
				return err
			}
		}
	}
	more, err := images.ResolveModules(k.files, []string{netfilter})
	if err != nil {
		return err
	}
	last := more[len(more)-1].File // the bridge, on which it depends, is loaded
	data, err := fs.ReadFile(k.files, last)
	if err != nil {
		return err
	}
	steps := append(testSteps(without), "load "+path.Base(last))
	steps = append(steps, testSteps(with)...)
	nodes = append(nodes, images.Node{Name: "modules/" + path.Base(last), Mode: 0o644, Data: data},
		images.Node{Name: "steps.list", Mode: 0o644, Data: []byte(strings.Join(steps, "\n") + "\n")})
	for _, n := range tree {
		nodes = append(nodes, n)
	}
	f, err := os.Create(s.work("initrd"))
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(images.WriteCPIO(f, nodes), f.Close())
}

func testSteps(of []subject) (lines []string) {
	for _, p := range of {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("test %s -test.v -test.timeout=4m %s", p.folder, p.filter)))
	}
	return lines
}

// folders is a tree of files with the folders that they lie in, by name.
type folders map[string]images.Node

func (t folders) add(name, file string, mode fs.FileMode) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	t[name] = images.Node{Name: name, Mode: mode, Data: data}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		t[dir] = images.Node{Name: dir, Mode: fs.ModeDir | 0o755}
	}
	return nil
}

// addAll adds what lies in the folder, if it is there.
func (t folders) addAll(below, dir string) error {
	if dir == "" {
		return nil
	}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return t.add(path.Join(below, filepath.ToSlash(file)), file, 0o644)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
