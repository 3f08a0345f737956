package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Configurations, seen from the slot's root.
const (
	imageConfig = "/etc/wardkeeper/wardkeeper.toml"
	ownConfig   = "/data/etc/wardkeeper.toml" // of this gateway, once it was provisioned
)

// configFile is the gateway's own configuration, or the image's.
func configFile() string {
	if _, err := os.Stat(root + ownConfig); err == nil {
		return ownConfig
	}
	return imageConfig
}

// preload has the agent's binary put the last confirmed rules into the kernel
// and read them back. A child that cannot be killed, as when the disk does not
// answer, must not hold the ward: it is left behind, and may still put rules in
// place; gone is closed when it no longer can.
func preload(ctx context.Context) (said string, gone <-chan struct{}, err error) {
	type result struct {
		said string
		err  error
	}
	done, ended := make(chan result, 1), make(chan struct{})
	go func() {
		defer close(ended)
		var out, errs bytes.Buffer
		cmd := inSlot(ctx, root, "preload", "--config", configFile())
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, lastWords(errs.String()))
		}
		done <- result{out.String(), err}
	}()
	select {
	case r := <-done:
		return r.said, ended, r.err
	case <-ctx.Done():
	}
	select { // it was killed
	case <-ended:
	case <-time.After(killWait):
	}
	return "", ended, fmt.Errorf("no rules after %s", rulesLimit)
}

// killWait is how long a program that was killed may take to end.
const killWait = 500 * time.Millisecond

// lastWords is the last line of what a program said, and not too much of it: it
// becomes a line of the kernel's log and an argument of the agent.
func lastWords(text string) string {
	const most = 300
	text = strings.TrimSpace(text)
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return text[max(0, len(text)-most):]
}

// agent is one running agent.
type agent struct {
	cmd   *exec.Cmd
	signs *os.File
	sign  chan byte
	ended chan error
	began time.Time

	silent   time.Duration // since its last sign, as far as PID 1 has counted it
	patience time.Duration // that it may be silent
	own      bool          // it has the gateway's own configuration
}

// startAgent starts it, with what it is told of the box; own: with the gateway's
// own configuration, if it has one.
func startAgent(own bool, told []string, log io.Writer) (*agent, error) {
	file := imageConfig
	if own {
		file = configFile()
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	cmd := inSlot(context.Background(), root, append([]string{"run", "--config", file, "--signs", "3"}, told...)...)
	cmd.ExtraFiles = []*os.File{write}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = time.Second // for what its last words take, if a child holds the line
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, read.Close())
	}
	a := &agent{cmd: cmd, signs: read, sign: make(chan byte, 8), ended: make(chan error, 1), began: time.Now(), patience: firstSign, own: file == ownConfig}
	go func() {
		buf := make([]byte, 64)
		for {
			n, err := read.Read(buf)
			for _, b := range buf[:n] {
				select {
				case a.sign <- b:
				default: // another says the same
				}
			}
			if err != nil {
				return
			}
		}
	}()
	go func() { a.ended <- cmd.Wait(); read.Close() }()
	return a, nil
}

// kill ends an agent that hangs.
func (a *agent) kill() { _ = a.cmd.Process.Signal(unix.SIGKILL) }
