package images

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// Board is what the image must know of the hardware: one file board.toml.
type Board struct {
	Name          string   `toml:"name"`
	Arch          string   `toml:"arch"`           // of Debian and Go: "arm64"
	KernelPackage string   `toml:"kernel_package"` // Debian's metapackage, as "linux-image-arm64"
	Cmdline       string   `toml:"cmdline"`        // added to the kernel command line, "" for nothing
	Modules       []string `toml:"modules"`        // wanted kernel modules in order, without their dependencies
	Console       Console  `toml:"console"`
	Ports         Ports    `toml:"ports"`
	Watchdog      Watchdog `toml:"watchdog"`
	Relay         Relay    `toml:"relay"`
	Button        Button   `toml:"button"`
}

// Console is the serial port of the kernel's messages and of the agent's console.
type Console struct {
	Device string `toml:"device"` // below /dev, as "ttyAMA0"
	Baud   int    `toml:"baud"`
}

// Ports says which hardware port has which name.
type Ports struct {
	Order  string   `toml:"order"` // "pci": the kernel's eth0, eth1, … in the order of PCI addresses
	Uplink string   `toml:"uplink"`
	Ward   []string `toml:"ward"`
}

// All names the ports in the order of their hardware.
func (p Ports) All() []string { return append([]string{p.Uplink}, p.Ward...) }

// Watchdog is the hardware that resets the board when PID 1 is gone.
type Watchdog struct {
	Module  string `toml:"module"` // loaded before all others; "" where the kernel has it built in
	Device  string `toml:"device"`
	Seconds int    `toml:"seconds"` // without a feed until the reset
}

// Relay is the bypass that joins the ports' wires while the board is off.
type Relay struct {
	GPIO string `toml:"gpio"` // name of the line, "none" where the board has no relay
}

// Button is the break-glass button.
type Button struct {
	Device  string `toml:"device"`   // name of the input device, as its driver gives it: "gpio-keys"
	KeyCode int    `toml:"key_code"` // of linux/input-event-codes.h, 0 for no button
	LED     string `toml:"led"`      // below /sys/class/leds, "" for none
}

// ParseBoard reads one board.toml; name is used in errors only. What it does not
// know it refuses, with the line.
func ParseBoard(name string, data []byte) (Board, error) {
	var b Board
	if err := strict.Decode(name, data, &b); err != nil {
		return Board{}, fmt.Errorf("read board: %w", err)
	}
	if err := b.check(); err != nil {
		return Board{}, fmt.Errorf("read board %s: %w", name, err)
	}
	return b, nil
}

// LoadOrder is the modules to load, in order: the watchdog's first, so that a
// board that hangs on a later one resets.
func (b Board) LoadOrder() []string {
	if b.Watchdog.Module == "" {
		return slices.Clone(b.Modules)
	}
	return append([]string{b.Watchdog.Module}, b.Modules...)
}

// Words that end up in file names, kernel parameters and package names. A port's
// length is the kernel's IFNAMSIZ without the NUL.
var (
	word     = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]{0,63}$`)
	module   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	portName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,14}$`)
	tty      = regexp.MustCompile(`^tty[A-Za-z0-9]{1,16}$`)
	watchdog = regexp.MustCompile(`^/dev/[a-z0-9]{1,32}$`)
	led      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_-]{0,63}$`)
	input    = regexp.MustCompile(`^[ -~]{1,80}$`)
	cmdline  = regexp.MustCompile(`^[ -~]{0,512}$`)
)

// maxKey is KEY_MAX of linux/input-event-codes.h.
const maxKey = 0x2ff

func (b Board) check() error {
	var errs []error
	want := func(ok bool, key, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
		}
	}
	want(word.MatchString(b.Name), "name", "%q is no lower-case word", b.Name)
	want(b.Arch == "arm64", "arch", "%q: only arm64 is built", b.Arch)
	want(word.MatchString(b.KernelPackage), "kernel_package", "%q is no package name", b.KernelPackage)
	want(cmdline.MatchString(b.Cmdline), "cmdline", "want at most 512 printable ASCII characters")
	want(len(b.Modules) > 0, "modules", "none: no port and no disk would be found")
	seen := make(map[string]bool)
	for _, m := range b.LoadOrder() {
		want(module.MatchString(m), "modules", "%q is no module name", m)
		want(!seen[canonical(m)], "modules", "%q stands there twice", m)
		seen[canonical(m)] = true
	}
	want(tty.MatchString(b.Console.Device), "console.device", "%q: want a name below /dev that begins with tty", b.Console.Device)
	bauds := []int{9600, 19200, 38400, 57600, 115200}
	want(slices.Contains(bauds, b.Console.Baud), "console.baud", "%d: want one of %v", b.Console.Baud, bauds)
	want(b.Ports.Order == "pci", "ports.order", "%q: only pci is known", b.Ports.Order)
	want(len(b.Ports.Ward) > 0, "ports.ward", "none: there would be no ward to keep")
	for i, p := range b.Ports.All() {
		want(portName.MatchString(p), "ports", "%q is no name of a port", p)
		want(p != b.Ports.Uplink || i == 0, "ports", "%q is uplink and ward port", p)
		want(i == 0 || slices.Index(b.Ports.Ward, p) == i-1, "ports", "%q stands there twice", p)
	}
	want(watchdog.MatchString(b.Watchdog.Device), "watchdog.device", "%q: want a path below /dev", b.Watchdog.Device)
	want(b.Watchdog.Seconds >= 25 && b.Watchdog.Seconds <= 300, "watchdog.seconds", "%d: want 25 to 300: a boot waits up to 10 s for its rules", b.Watchdog.Seconds)
	want(portName.MatchString(b.Relay.GPIO), "relay.gpio", "%q: want the name of a line, or none", b.Relay.GPIO)
	want(b.Button.KeyCode >= 0 && b.Button.KeyCode <= maxKey, "button.key_code", "%d: want 0 to %d", b.Button.KeyCode, maxKey)
	want(b.Button.KeyCode == 0 || input.MatchString(b.Button.Device), "button.device", "%q: want the name of the input device with the button", b.Button.Device)
	want(b.Button.LED == "" || led.MatchString(b.Button.LED), "button.led", "%q is no name of a LED", b.Button.LED)
	return errors.Join(errs...)
}

//go:embed boards/*/board.toml
var boardFiles embed.FS

// Boards are the boards that images are built for, by name in order.
func Boards() ([]Board, error) {
	files, err := fs.Glob(boardFiles, "boards/*/board.toml")
	if err != nil {
		return nil, fmt.Errorf("list boards: %w", err)
	}
	var out []Board
	for _, f := range files {
		data, err := boardFiles.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read board %s: %w", f, err)
		}
		b, err := ParseBoard(f, data)
		if err != nil {
			return nil, err
		}
		if dir := path.Base(path.Dir(f)); b.Name != dir {
			return nil, fmt.Errorf("read board %s: name %q: want that of its folder, %q", f, b.Name, dir)
		}
		out = append(out, b)
	}
	return out, nil
}

// BoardFile is the board.toml of a board as it was written, for the image.
func BoardFile(name string) ([]byte, error) {
	boards, err := Boards()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, b := range boards {
		names = append(names, b.Name)
	}
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("no board %q: there are %s", name, strings.Join(names, ", "))
	}
	return boardFiles.ReadFile("boards/" + name + "/board.toml")
}
