package images

import "testing"

// TestCmdline: what the build writes, agent and PID 1 read.
func TestCmdline(t *testing.T) {
	b, err := ParseBoard("board.toml", goodBoard(t))
	if err != nil {
		t.Fatal(err)
	}
	const want = "console=ttyS0,9600 quiet loglevel=4 panic=3 oops=panic gpt ro ward.slot=b ward.version=v1.2 nosmp"
	line := b.KernelCmdline("b", "v1.2")
	if line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	for text, want := range map[string]Started{
		line + "\n":                  {"b", "v1.2"},
		line + " ward.slot=a":        {"a", "v1.2"},
		"ro ward.slot=../../x quiet": {},
		"root=/dev/sda1 ward.slotted=c xward.version=1": {},
		"": {},
	} {
		if got := ReadCmdline(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	b.Cmdline = ""
	if got := b.KernelCmdline("a", "v2"); got[len(got)-len("ward.version=v2"):] != "ward.version=v2" {
		t.Errorf("got %q", got)
	}
}
