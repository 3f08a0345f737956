package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// What `wardimage test` puts into the initramfs.
const (
	moduleDir  = "/modules"
	moduleList = "/modules.list"
	stepList   = "/steps.list" // a line a step: "load FILE" or "test FOLDER ARGUMENT…"
	sources    = "/src"
	testBinary = "package.test"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "testinit: runs as PID 1 of a virtual machine only")
		os.Exit(64)
	}
	if err := run(os.Stdout); err != nil {
		fmt.Printf("ERROR %v\n", err)
	}
	warnings(os.Stdout)
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {} // PID 1 must not end
}

// run speaks in lines: "RUN folder", "| what a binary said", "END code seconds".
func run(out io.Writer) error {
	for _, m := range [][3]string{
		{"devtmpfs", "/dev", ""}, {"devpts", "/dev/pts", "mode=0620,ptmxmode=0666"}, {"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"tmpfs", "/tmp", "mode=1777"},
	} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m[0], m[1], m[0], 0, m[2]); err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	load := func(name string) error { return linux.LoadModule(filepath.Join(moduleDir, name)) }
	if err := lines(moduleList, load); err != nil {
		return err
	}
	return lines(stepList, func(line string) error {
		switch f := strings.Fields(line); f[0] {
		case "load":
			return load(f[1])
		case "test":
			return test(out, f[1], f[2:])
		}
		return fmt.Errorf("%s: unknown step %q", stepList, line)
	})
}

func lines(file string, each func(string) error) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if err := each(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	return nil
}

// test runs one binary where its sources would lie.
func test(out io.Writer, folder string, args []string) error {
	fmt.Fprintf(out, "RUN %s\n", folder)
	began := time.Now()
	cmd := exec.Command("./"+testBinary, args...)
	cmd.Dir = filepath.Join(sources, folder)
	cmd.Env = []string{"PATH=/bin", "HOME=/tmp"}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start tests of %s: %w", folder, err)
	}
	s := bufio.NewScanner(said)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		fmt.Fprintf(out, "| %s\n", s.Text())
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		return fmt.Errorf("run tests of %s: %w", folder, err)
	}
	fmt.Fprintf(out, "END %d %.1f\n", cmd.ProcessState.ExitCode(), time.Since(began).Seconds())
	return nil
}

// warnings shows what the kernel complained of: its console is silent, so that
// it does not write into the lines above.
func warnings(out io.Writer) {
	const readAll = 3 // SYSLOG_ACTION_READ_ALL
	buf := make([]byte, 1<<20)
	n, err := unix.Klogctl(readAll, buf)
	if err != nil {
		fmt.Fprintf(out, "ERROR read kernel log: %v\n", err)
		return
	}
	for line := range strings.Lines(string(buf[:n])) {
		// "<4>[ 1.2] text": 4 is a warning, less is worse; of the kernel itself
		if len(line) > 3 && line[0] == '<' && line[2] == '>' && line[1] <= '4' {
			fmt.Fprintf(out, "KERNEL %s", line[3:])
		}
	}
}
