package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// operator is the person with wardctl: keys, a root of trust, and what the
// gateway's audit trail said from its first word on.
type operator struct {
	wardctl, dir, broker string
	cast                 *cast.Cast
	say                  func(format string, args ...any)
	trail                *exec.Cmd // writes the audit trail
	file                 *os.File
	n                    int // of statements
}

// rootForm is who may sign what in the lab: anna commands, berta makes policy,
// dora is a clinical engineer.
const rootForm = `site = %q
[[key]]
name  = "anna"
file  = "anna.key.pub"
roles = ["root", "command"]
[[key]]
name  = "berta"
file  = "berta.key.pub"
roles = ["policy", "config", "devices", "quarantine"]
[[key]]
name  = "dora"
file  = "dora.key.pub"
roles = ["clinical-engineering"]
`

// rootFile is the root of trust, as the gateway gets it.
const rootFile = "root.dsse"

// newOperator makes keys and root in a folder.
func newOperator(ctx context.Context, wardctl, dir string, c *cast.Cast, say func(string, ...any)) (*operator, error) {
	o := &operator{wardctl: wardctl, dir: dir, cast: c, say: say}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	for _, name := range []string{"anna", "berta", "dora"} {
		if out, code := o.run(ctx, "keys", "new", "-o", name+".key"); code != 0 {
			return nil, fmt.Errorf("operator: wardctl keys new: exit %d: %s", code, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "root.toml"), fmt.Appendf(nil, rootForm, c.Site), 0o600); err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	if out, code := o.run(ctx, "keys", "root", "root.toml", "--key", "anna.key", "-o", rootFile); code != 0 {
		return nil, fmt.Errorf("operator: wardctl keys root: exit %d: %s", code, out)
	}
	return o, nil
}

// run runs wardctl and returns what it printed, and its exit code.
func (o *operator) run(ctx context.Context, args ...string) (out string, code int) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, o.wardctl, args...)
	cmd.Dir = o.dir
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		return err.Error(), -1
	}
	return strings.TrimRight(b.String(), "\n"), code
}

// shown is run, as a person would see it.
func (o *operator) shown(ctx context.Context, args ...string) (out string, code int) {
	o.say("$ wardctl %s", strings.Join(args, " "))
	out, code = o.run(ctx, args...)
	for line := range strings.Lines(out) {
		o.say("  %s", strings.TrimRight(line, "\n"))
	}
	return out, code
}

// at are the flags that name the broker.
func (o *operator) at() []string { return []string{"--broker", o.broker, "--site", o.cast.Site} }

// listen begins to write the audit trail.
func (o *operator) listen(broker string) (err error) {
	o.broker = broker
	if o.file, err = os.Create(filepath.Join(o.dir, "audit.jsonl")); err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	o.trail = exec.Command(o.wardctl, append([]string{"watch", "--only", "audit", "--json"}, o.at()...)...)
	o.trail.Stdout = o.file
	if err := o.trail.Start(); err != nil {
		return fmt.Errorf("operator: wardctl watch: %w", err)
	}
	return nil
}

// leave ends the trail.
func (o *operator) leave() {
	if o.trail != nil {
		_ = o.trail.Process.Signal(os.Interrupt)
		_ = o.trail.Wait()
		o.file.Close()
		o.trail = nil
	}
}

// command signs a command and has it obeyed. It returns the id, what wardctl
// printed and its exit code. The gateway's own boot stands for the time: the
// lab's kernel need not believe its clock.
func (o *operator) command(ctx context.Context, signer string, words ...string) (id, out string, code int) {
	o.n++
	file := fmt.Sprintf("%d-%s.dsse", o.n, words[0])
	boot, mono, err := o.boot(ctx)
	if err != nil {
		return "", err.Error(), -1
	}
	o.say("$ wardctl sign command %s --key %s.key", strings.Join(words, " "), signer)
	out, code = o.run(ctx, append(append([]string{"sign", "command"}, words...), "--root", rootFile, "--key", signer+".key", "--to", o.cast.Gateway,
		"--boot-id", boot, "--mono-ms", strconv.FormatInt(mono, 10), "--reason", "lab", "-o", file, "--json")...)
	if code != 0 {
		return "", out, code
	}
	var signed struct {
		Statement struct {
			ID string `json:"id"`
		} `json:"statement"`
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(out), &signed); err != nil {
		return "", fmt.Sprintf("wardctl sign: %v: %s", err, out), -1
	}
	id = signed.Statement.ID + signed.ID
	o.say("$ wardctl cmd %s", file)
	out, code = o.run(ctx, append([]string{"cmd", file}, o.at()...)...)
	for line := range strings.Lines(out) {
		o.say("  %s", strings.TrimRight(line, "\n"))
	}
	return id, out, code
}

// boot is which boot the gateway is in, and for how long, as its state says.
func (o *operator) boot(ctx context.Context) (id string, monoMS int64, err error) {
	out, code := o.run(ctx, append([]string{"state", "--json"}, o.at()...)...)
	var s struct {
		State struct {
			BootID string `json:"boot_id"`
			MonoMS int64  `json:"mono_ms"`
		} `json:"state"`
	}
	if code == 0 {
		err = json.Unmarshal([]byte(out), &s)
	}
	if code != 0 || err != nil || s.State.BootID == "" {
		return "", 0, fmt.Errorf("wardctl state: exit %d: %s", code, out)
	}
	return s.State.BootID, s.State.MonoMS, nil
}
