//go:build image

package mosquitto

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
)

// guest is a gateway in a virtual machine, seen from its serial line.
type guest struct {
	t    *testing.T
	cmd  *exec.Cmd
	line net.Conn
	text list // what the line said, in pieces
}

// boot switches a gateway on: its uplink is QEMU's own network, where this
// machine is 10.0.2.2, its ward port lies in an empty one.
func boot(t *testing.T, image, disk string) *guest {
	t.Helper()
	var m struct {
		Cmdline string `json:"cmdline"`
	}
	text, err := os.ReadFile(filepath.Join(image, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	line := filepath.Join(t.TempDir(), "line")
	listener, err := net.Listen("unix", line)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	g := &guest{t: t}
	g.cmd = exec.CommandContext(t.Context(), "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "512", "-nodefaults", "-display", "none", "-monitor", "none",
		"-serial", "unix:"+line, "-device", "i6300esb", "-watchdog-action", "reset", "-device", "virtio-rng-pci",
		"-kernel", filepath.Join(image, "vmlinuz"), "-initrd", filepath.Join(image, "initrd.gz"), "-append", m.Cmdline,
		"-drive", "if=none,format=raw,id=disk,file="+disk, "-device", "virtio-blk-pci,drive=disk,romfile=",
		"-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,addr=8,romfile=",
		"-netdev", "hubport,id=n1,hubid=1", "-device", "virtio-net-pci,netdev=n1,addr=9,romfile=")
	var said bytes.Buffer
	g.cmd.Stderr = &said
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.cut)
	if err := listener.(*net.UnixListener).SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if g.line, err = listener.Accept(); err != nil {
		g.cut()
		t.Fatalf("QEMU: %v: %s", err, said.String())
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := g.line.Read(buf)
			g.text.add(string(buf[:n]))
			if err != nil {
				return
			}
		}
	}()
	return g
}

// cut is the end of its power.
func (g *guest) cut() {
	if g.cmd.ProcessState == nil {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
	}
}

func (g *guest) said() string { return strings.Join(g.text.all(), "") }

// await waits for what the line must say, for as long as a slow emulation takes.
func (g *guest) await(what string, fn func() bool) {
	g.t.Helper()
	for begin := time.Now(); !fn(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > 90*time.Second {
			g.t.Fatalf("not within 90 s: %s; the line:\n%s", what, g.said())
		}
	}
}

// show asks the console, and returns what it said since. The kernel and PID 1
// write on the same line whenever they please, behind a prompt too.
func (g *guest) show(command string) string {
	g.t.Helper()
	before := len(g.said())
	kernel := regexp.MustCompile(`\[ *[0-9]+\.[0-9]{6}\] [^\n]*\n`)
	since := func() string { return kernel.ReplaceAllString(g.said()[before:], "") }
	if _, err := g.line.Write([]byte(command + "\r")); err != nil {
		g.t.Fatal(err)
	}
	g.await("the prompt after "+command, func() bool { return strings.HasSuffix(strings.TrimSpace(since()), "ward-7b>") })
	return since()
}

// TestImageEnrols is what a person does with a new gateway: provisions the disk,
// reads the key from the console, has the request signed that lies on the ESP,
// puts the certificate there, and finds the gateway at the broker.
func TestImageEnrols(t *testing.T) {
	image := os.Getenv("WARDKEEPER_IMAGE")
	if image == "" {
		t.Skip("WARDKEEPER_IMAGE names no built image: make test-image")
	}
	for program, pkg := range map[string]string{"qemu-system-aarch64": "qemu-system-arm", "mcopy": "mtools"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing: apt-get install %s", program, pkg)
		}
	}
	s := newSite(t)
	var got list
	if err := await(s.client("", s.collector(), &got).Subscribe("wardkeeper/v1/#", 1, nil)); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(s.dir, name) }
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	run("go", "build", "-o", file("wardctl"), "github.com/wardkeeper/wardkeeper/cmd/wardctl")
	s.write("root.toml", []byte("site = \"st-mary\"\n[[key]]\nname = \"anna\"\nfile = \""+file("anna.key.pub")+"\"\nroles = [\"root\", \"command\"]\n"))
	run(file("wardctl"), "keys", "new", "-o", file("anna.key"))
	run(file("wardctl"), "keys", "root", file("root.toml"), "--key", file("anna.key"), "-o", file("root.dsse"))
	run("cp", "--sparse=always", filepath.Join(image, "disk.img"), file("disk.img"))
	if err := os.Truncate(file("disk.img"), 512<<20); err != nil { // the database wants a data partition that has grown
		t.Fatal(err)
	}
	run(file("wardctl"), "image", "provision", "--image", file("disk.img"), "--board", "qemu-arm64", "--site", "st-mary", "--gateway", "ward-7b",
		"--broker", fmt.Sprintf("mqtts://10.0.2.2:%d", s.port), "--ca", file("ca.pem"), "--address", "10.0.2.15/24", "--router", "10.0.2.2", "--ward", "eth1", "--root", file("root.dsse"))

	g := boot(t, image, file("disk.img"))
	g.await("the request is on the ESP", func() bool { return strings.Contains(g.said(), "certificate is on the ESP") })
	shown := g.show("show request")
	r, err := enrol.ParseRequest([]byte(shown))
	if err != nil {
		t.Fatalf("%v; the console says\n%s", err, shown)
	}
	g.cut()
	run("mcopy", "-i", file("disk.img")+"@@16M", "::wardkeeper/gateway.csr", file("gateway.csr"))
	s.write("ca.key", encode(t, s.caKey))
	run(file("wardctl"), "enrol", "approve", "--ca", file("ca.pem"), "--ca-key", file("ca.key"), "-o", file("gateway.pem"), "--fingerprint", r.Fingerprint, file("gateway.csr"))
	run(file("wardctl"), "image", "provision", "--image", file("disk.img"), "--cert", file("gateway.pem"))
	if seen := got.all(); len(seen) > 0 {
		t.Errorf("before it had a certificate the gateway was at the broker: %q", seen)
	}

	g = boot(t, image, file("disk.img"))
	g.await("the gateway is at the broker", func() bool {
		return slices.ContainsFunc(got.all(), func(m string) bool {
			return strings.HasPrefix(m, "wardkeeper/v1/st-mary/ward-7b/state ") && strings.Contains(m, `"online":true`)
		})
	})
	if up := g.show("show uplink"); !strings.Contains(up, "connected since") || !strings.Contains(up, "identity  enrolled until") {
		t.Errorf("the console says\n%s", up)
	}
	if again := g.show("show request"); !strings.Contains(strings.Join(strings.Fields(again), " "), r.Fingerprint) {
		t.Errorf("another key after a power cut, not %s:\n%s", r.Fingerprint, again)
	}
	s.rebootsByCommand(g, file("wardctl"), &got)
}

// rebootsByCommand has the gateway start anew by a signed command: there is no
// device on its ward. The answer comes from the boot after it.
func (s *site) rebootsByCommand(g *guest, wardctl string, got *list) {
	s.t.Helper()
	type state struct {
		BootID string `json:"boot_id"`
		MonoMS int64  `json:"mono_ms"`
	}
	last := func() (out state) {
		for _, m := range got.all() {
			if text, ok := strings.CutPrefix(m, "wardkeeper/v1/st-mary/ward-7b/state "); ok && strings.Contains(text, `"online":true`) {
				if err := json.Unmarshal([]byte(text), &out); err != nil {
					s.t.Fatal(err)
				}
			}
		}
		return out
	}
	ask := func(args ...string) string {
		s.t.Helper()
		cmd := exec.Command(wardctl, args...)
		cmd.Dir = s.dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.t.Fatalf("wardctl %s: %v\n%s\nthe console said\n%s", args, err, out, g.said())
		}
		return string(out)
	}
	cert, key := s.writePair("op-anna", s.person("op:anna"))
	before := last()
	ask("sign", "command", "reboot", "--root", "root.dsse", "--key", "anna.key", "--to", "ward-7b", "--for", "10m",
		"--boot-id", before.BootID, "--mono-ms", strconv.FormatInt(before.MonoMS, 10), "-o", "reboot.dsse")
	out := ask("cmd", "reboot.dsse", "--timeout", "120s", "--broker", fmt.Sprintf("mqtts://127.0.0.1:%d", s.port), "--ca", "ca.pem", "--cert", cert, "--key", key)
	if !strings.Contains(out, "executing") || !strings.HasSuffix(strings.TrimSpace(out), "succeeded") {
		s.t.Errorf("wardctl cmd said\n%s", out)
	}
	if after := last(); after.BootID == before.BootID {
		s.t.Errorf("the reboot succeeded, and the boot is still %s", after.BootID)
	}
}
