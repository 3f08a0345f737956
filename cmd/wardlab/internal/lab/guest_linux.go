package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// Where things are in the image: PID 1 takes over what lies on the ESP.
const (
	guestESP   = "wardkeeper" // folder on the ESP
	guestEtc   = "/data/etc"
	guestState = "/data/wardkeeper"
	guestLine  = "/dev/ttyAMA0"
)

// seenFromGuest makes the files those of an agent inside the image.
func (g *gatewayFiles) seenFromGuest(address netip.Prefix) {
	g.console, g.uplink = guestLine, "eth0"
	g.ward = nil
	for i := range ward.WardPorts() {
		g.ward = append(g.ward, fmt.Sprintf("eth%d", i+1))
	}
	g.guest = &guestView{etc: guestEtc, state: guestState, address: address}
}

// manifest is what the lab must know of an image.
type manifest struct {
	Cmdline string `json:"cmdline"`
}

// espStart is where the ESP begins on the disk, as mtools writes it.
const espStart = "@@16M"

// startGuest boots the image in a virtual machine whose network cards are the
// gateway's ports, whose serial line is the lab's, and whose disk is a copy.
func startGuest(image, line string, files gatewayFiles) (*agent, error) {
	var m manifest
	text, err := os.ReadFile(filepath.Join(image, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", image, err)
	}
	disk := filepath.Join(files.dir, "disk.img")
	if err := tool("cp", "coreutils", "--sparse=always", filepath.Join(image, "disk.img"), disk); err != nil {
		return nil, err
	}
	if err := os.Chmod(disk, 0o600); err != nil {
		return nil, fmt.Errorf("the guest's disk: %w", err)
	}
	if err := tool("mmd", "mtools", "-D", "s", "-i", disk+espStart, "::"+guestESP); err != nil {
		return nil, err
	}
	if err := tool("mcopy", "mtools", "-o", "-i", disk+espStart, files.config(), files.policy(), "::"+guestESP); err != nil {
		return nil, err
	}
	args := []string{"-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "512", "-nodefaults", "-display", "none", "-monitor", "none",
		"-serial", line, "-device", "i6300esb", "-watchdog-action", "reset", "-device", "virtio-rng-pci",
		"-kernel", filepath.Join(image, "vmlinuz"), "-initrd", filepath.Join(image, "initrd.gz"), "-append", m.Cmdline,
		"-drive", "if=none,format=raw,id=disk,file=" + disk, "-device", "virtio-blk-pci,drive=disk,romfile="}
	a := &agent{done: make(chan struct{})}
	for i, port := range append([]string{ward.Uplink}, ward.WardPorts()...) {
		near, far := filepath.Join(files.dir, port+".lab"), filepath.Join(files.dir, port+".guest")
		patch, err := ward.NewPatch(port, near, far)
		if err != nil {
			return nil, errors.Join(err, a.unpatch())
		}
		a.patches = append(a.patches, patch)
		args = append(args, "-netdev", fmt.Sprintf("dgram,id=n%d,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", i, far, near),
			"-device", fmt.Sprintf("virtio-net-pci,netdev=n%d,mac=52:54:00:57:4b:%02x,addr=%#x,romfile=", i, i, 8+i))
	}
	if a.log, err = os.Create(files.log()); err != nil {
		return nil, errors.Join(fmt.Errorf("the guest's log: %w", err), a.unpatch())
	}
	const program = "qemu-system-aarch64"
	a.cmd = exec.Command(program, args...)
	a.cmd.Stdout, a.cmd.Stderr = a.log, a.log
	if err := a.cmd.Start(); err != nil {
		return nil, errors.Join(missing(program, "qemu-system-arm", err), a.log.Close(), a.unpatch())
	}
	go a.wait()
	return a, nil
}

// tool runs a program of a Debian package.
func tool(program, pkg string, args ...string) error {
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		return missing(program, pkg, fmt.Errorf("%w: %s", err, out))
	}
	return nil
}

// missing names the package of a program that is not there.
func missing(program, pkg string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is missing: apt-get install %s", program, pkg)
	}
	return fmt.Errorf("%s: %w", program, err)
}
