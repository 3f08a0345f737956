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

// guest is a virtual machine to be started: the image, and what is its own.
type guest struct {
	image string // folder
	uefi  bool   // boot from the disk, as a board does, not from kernel and initramfs
	dir   string // for its sockets and files
	disk  string
	line  string // tty that its serial line is
	test  string // words for PID 1 (cmd/wardinit), "" for none
	qmp   string // socket of QEMU's monitor, through which a test presses keys, "" for none
}

// newGuest gives the image a disk of its own with the gateway's files on it.
func newGuest(image string, uefi bool, line string, files gatewayFiles) (guest, error) {
	g := guest{image: image, uefi: uefi, dir: files.dir, disk: filepath.Join(files.dir, "disk.img"), line: line}
	if err := tool("cp", "coreutils", "--sparse=always", filepath.Join(image, "disk.img"), g.disk); err != nil {
		return g, err
	}
	// A board's disk is larger than the image: PID 1 grows the data partition.
	if err := errors.Join(os.Chmod(g.disk, 0o600), os.Truncate(g.disk, diskSize)); err != nil {
		return g, fmt.Errorf("the guest's disk: %w", err)
	}
	if err := tool("mmd", "mtools", "-D", "s", "-i", g.disk+espStart, "::"+guestESP); err != nil {
		return g, err
	}
	return g, tool("mcopy", "mtools", "-o", "-i", g.disk+espStart, files.config(), files.policy(), "::"+guestESP)
}

// diskSize of a guest, in bytes.
const diskSize = 512 << 20

// firmware is UEFI as Debian has it, and the size of its memory.
const (
	firmware     = "/usr/share/AAVMF/AAVMF_CODE.fd"
	firmwareVars = "/usr/share/AAVMF/AAVMF_VARS.fd"
)

// boot are the arguments that say what is started.
func (g guest) boot() ([]string, error) {
	if g.uefi {
		vars := filepath.Join(g.dir, "vars.fd")
		if err := tool("cp", "qemu-efi-aarch64", firmwareVars, vars); err != nil {
			return nil, fmt.Errorf("%w (apt-get install qemu-efi-aarch64)", err)
		}
		return []string{"-drive", "if=pflash,format=raw,readonly=on,file=" + firmware, "-drive", "if=pflash,format=raw,file=" + vars}, nil
	}
	var m manifest
	text, err := os.ReadFile(filepath.Join(g.image, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", g.image, err)
	}
	return []string{"-kernel", filepath.Join(g.image, "vmlinuz"), "-initrd", filepath.Join(g.image, "initrd.gz"), "-append", m.Cmdline}, nil
}

// start switches the machine on. Its network cards are the gateway's ports.
func (g guest) start() (*agent, error) {
	boot, err := g.boot()
	if err != nil {
		return nil, err
	}
	args := append([]string{"-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "512", "-nodefaults", "-display", "none", "-monitor", "none",
		"-serial", g.line, "-device", "i6300esb", "-watchdog-action", "reset", "-device", "virtio-rng-pci",
		"-drive", "if=none,format=raw,id=disk,file=" + g.disk, "-device", "virtio-blk-pci,drive=disk,romfile="}, boot...)
	if g.test != "" {
		args = append(args, "-fw_cfg", "name=opt/ward/test,string="+g.test)
	}
	if g.qmp != "" {
		args = append(args, "-qmp", "unix:"+g.qmp+",server=on,wait=off", "-device", "virtio-keyboard-pci")
	}
	a := &agent{done: make(chan struct{})}
	for i, port := range append([]string{ward.Uplink}, ward.WardPorts()...) {
		near, far := filepath.Join(g.dir, port+".lab"), filepath.Join(g.dir, port+".guest")
		patch, err := ward.NewPatch(port, near, far)
		if err != nil {
			return nil, errors.Join(err, a.unpatch())
		}
		a.patches = append(a.patches, patch)
		args = append(args, "-netdev", fmt.Sprintf("dgram,id=n%d,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", i, far, near),
			"-device", fmt.Sprintf("virtio-net-pci,netdev=n%d,mac=52:54:00:57:4b:%02x,addr=%#x,romfile=", i, i, 8+i))
	}
	if a.log, err = os.Create(filepath.Join(g.dir, "agent.log")); err != nil {
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
