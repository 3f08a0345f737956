package images

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The boards of the product are read, and load the watchdog first.
func TestBoards(t *testing.T) {
	boards, err := Boards()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		if order := b.LoadOrder(); order[0] != b.Watchdog.Module || order[1] != b.Modules[0] {
			t.Errorf("%s: the watchdog's module is not the first of all: %v", b.Name, order)
		}
	}
	if len(boards) != 1 || boards[0].Name != "qemu-arm64" {
		t.Errorf("%d boards, want qemu-arm64 alone", len(boards))
	}
}

// Every key has its field.
func TestParseBoard(t *testing.T) {
	got, err := ParseBoard("board.toml", goodBoard(t))
	if err != nil {
		t.Fatal(err)
	}
	want := Board{
		Name: "demo", Arch: "arm64", KernelPackage: "linux-image-arm64", Cmdline: "nosmp",
		Modules:  []string{"virtio_rng", "ext4"},
		Console:  Console{Device: "ttyS0", Baud: 9600},
		Ports:    Ports{Order: "pci", Uplink: "eth0", Ward: []string{"eth1", "eth2"}},
		Watchdog: Watchdog{Module: "i6300esb", Device: "/dev/watchdog0", Seconds: 30},
		Relay:    Relay{GPIO: "bypass"},
		Button:   Button{Device: "gpio-keys", KeyCode: 0x198, LED: "red:glass"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff([]string{"i6300esb", "virtio_rng", "ext4"}, got.LoadOrder()); d != "" {
		t.Error(d)
	}
	got.Watchdog.Module = ""
	if d := cmp.Diff([]string{"virtio_rng", "ext4"}, got.LoadOrder()); d != "" {
		t.Errorf("with a watchdog that is built in: %s", d)
	}
}

func TestBoardFile(t *testing.T) {
	data, err := BoardFile("qemu-arm64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseBoard("x", data); err != nil {
		t.Error(err)
	}
	if _, err := BoardFile("../x"); err == nil || err.Error() != `no board "../x": there are qemu-arm64` {
		t.Errorf("unknown board: %v", err)
	}
}

// FuzzParseBoard: what is accepted must be safe to put on a kernel command line
// and into file names.
func FuzzParseBoard(f *testing.F) {
	f.Add(goodBoard(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBoard("f", data)
		if err != nil {
			return
		}
		for _, m := range append(b.LoadOrder(), b.Name, b.Console.Device) {
			if strings.ContainsAny(m, "/\n \x00") {
				t.Errorf("accepted %q", m)
			}
		}
	})
}

func goodBoard(tb testing.TB) []byte {
	data, err := os.ReadFile("testdata/board.toml")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestParseBoardRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown key", "key_code", "keycode", `unknown key "button.keycode" (nearest: "key_code")`},
		{"name", `"demo"`, `"../x"`, `name: "../x" is no lower-case word`},
		{"arch", `"arm64"`, `"mips"`, `arch: "mips": only arm64 is built`},
		{"package", `"linux-image-arm64"`, `"-o x"`, `kernel_package: "-o x" is no package name`},
		{"cmdline", `"nosmp"`, `"a\nb"`, "cmdline: want at most 512 printable ASCII characters"},
		{"module", `"ext4"`, `"../ext4"`, `modules: "../ext4" is no module name`},
		{"module twice, spelt otherwise", `"ext4"`, `"virtio-rng"`, `modules: "virtio-rng" stands there twice`},
		{"watchdog named twice", `"ext4"`, `"i6300esb"`, `modules: "i6300esb" stands there twice`},
		{"console", `"ttyS0"`, `"/dev/ttyS0"`, `console.device: "/dev/ttyS0": want a name below /dev that begins with tty`},
		{"baud", "9600", "9601", "console.baud: 9601: want one of [9600 19200 38400 57600 115200]"},
		{"order", `"pci"`, `"dtb"`, `ports.order: "dtb": only pci is known`},
		{"no ward port", `["eth1", "eth2"]`, `[]`, "ports.ward: none: there would be no ward to keep"},
		{"port", `"eth2"`, `"eth2eth2eth2eth2"`, `ports: "eth2eth2eth2eth2" is no name of a port`},
		{"uplink in the ward", `"eth2"`, `"eth0"`, `ports: "eth0" is uplink and ward port`},
		{"port twice", `"eth2"`, `"eth1"`, `ports: "eth1" stands there twice`},
		{"watchdog", `"/dev/watchdog0"`, `"/etc/passwd/"`, `watchdog.device: "/etc/passwd/": want a path below /dev`},
		{"watchdog that bites at once", "seconds = 30", "seconds = 1", "watchdog.seconds: 1: want 25 to 300: a boot waits up to 10 s for its rules"},
		{"relay", `"bypass"`, `""`, `relay.gpio: "": want the name of a line, or none`},
		{"key", "408", "768", "button.key_code: 768: want 0 to 767"},
		{"button of nothing", `"gpio-keys"`, `""`, `button.device: "": want the name of the input device with the button`},
		{"led", `"red:glass"`, `"../x"`, `button.led: "../x" is no name of a LED`},
		{"empty", "", "", "modules: none: no port and no disk would be found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := ""
			if tt.old != "" {
				in = strings.Replace(string(goodBoard(t)), tt.old, tt.new, 1)
				if in == string(goodBoard(t)) {
					t.Fatalf("the board has no %s", tt.old)
				}
			}
			_, err := ParseBoard("b.toml", []byte(in))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "b.toml") {
				t.Errorf("error\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}
