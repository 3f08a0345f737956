package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// emulator is the tool that machine needs.
func emulator() tool { return tool{"qemu-system-aarch64", "qemu-system-arm"} }

// machine is a virtual machine of the board of tests: what its firmware or
// kernel writes to the serial line is all that comes out.
type machine struct {
	memory int // in MiB
	args   []string
}

// run powers the machine on and hands each line of the serial line to line, with
// the time since then, until it returns false, the machine is off, or ctx ends.
func (m machine) run(ctx context.Context, line func(at time.Duration, text string) bool) error {
	path, err := find(emulator().name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := append([]string{"-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", fmt.Sprint(m.memory), "-nodefaults", "-no-reboot",
		"-display", "none", "-monitor", "none", "-serial", "stdio"}, m.args...)
	cmd := exec.CommandContext(ctx, path, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	on := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", emulator().name, err)
	}
	s := bufio.NewScanner(out)
	s.Buffer(nil, 1<<20)
	enough := false
	for !enough && s.Scan() {
		enough = !line(time.Since(on), strings.TrimRight(s.Text(), "\r"))
	}
	if enough {
		cancel()
	}
	err = cmd.Wait()
	switch {
	case enough:
	case ctx.Err() != nil:
		return fmt.Errorf("run %s: %w", emulator().name, ctx.Err())
	case err != nil:
		return fmt.Errorf("run %s: %w: %s", emulator().name, err, lastLines(said.String()))
	}
	return nil
}
