package nac

import (
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func nobodyLogs() *log.Logger { return log.New(io.Discard, "", 0) }

func TestProgram(t *testing.T) {
	const in = `{"v":1,"action":"apply","id":"cmd-1.1.h","device":"local:02:00:00:00:00:01","mac":"02:00:00:00:00:01","code":"ransomware","seconds":5400}`
	for _, tt := range []struct {
		name string
		argv []string
		want Result
	}{
		{"done", []string{"/bin/sh", "-c", `read line; test "$line" = "$0" && printf "took\nit"`, in}, Result{Outcome: Done, Text: "exit status 0", Said: "took it"}},
		{"done without a word", []string{"/bin/true"}, Result{Outcome: Done, Text: "exit status 0"}},
		{"it refuses", []string{"/bin/sh", "-c", "echo no such switch; exit 1"}, Result{Outcome: Refused, Text: "run /bin/sh: exit status 1", Said: "no such switch "}},
		{"it fails half-way", []string{"/bin/sh", "-c", "exit 2"}, Result{Outcome: Unsure, Text: "run /bin/sh: exit status 2"}},
		{"it hangs", []string{"/bin/sleep", "60"}, Result{Outcome: Unsure, Text: "run /bin/sleep: context deadline exceeded"}},
		{"there is none", []string{"/nowhere"}, Result{Outcome: Refused, Text: "start /nowhere: fork/exec /nowhere: no such file or directory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, err := NewHook(Spec{Name: "h", Kind: KindExec, Program: tt.argv, Limit: 2 * time.Second}, Means{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, h.Apply(t.Context(), request())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewHookRefuses(t *testing.T) {
	empty, secret := put(t, "empty", "\n"), put(t, "secret", "s")
	for _, tt := range []struct {
		spec Spec
		want string
	}{
		{Spec{Name: "a", Kind: "snmp"}, `hook "a": kind "snmp": want exec, webhook or radius-disconnect`},
		{Spec{Name: "a", Kind: KindWebhook, Secret: "/nowhere"}, `hook "a": read secret: open /nowhere: no such file or directory`},
		{Spec{Name: "a", Kind: KindDisconnect, Secret: empty}, `hook "a": read secret: ` + empty + ` is empty`},
		{Spec{Name: "a", Kind: KindWebhook, Secret: secret, CA: "/nowhere"}, `hook "a": read CA: open /nowhere: no such file or directory`},
		{Spec{Name: "a", Kind: KindWebhook, Secret: secret, CA: secret}, `hook "a": read CA: no certificate in ` + secret},
	} {
		if _, err := NewHook(tt.spec, Means{}); err == nil || err.Error() != tt.want {
			t.Errorf("%+v: %v, want %s", tt.spec, err, tt.want)
		}
	}
}

func TestLine(t *testing.T) {
	got := line([]byte("a\x1b[2J\nb\xff" + strings.Repeat("ü", 200)))
	if want := "a [2J b " + strings.Repeat("ü", 112); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
