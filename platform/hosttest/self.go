package hosttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// The commands that the binary of a Self under test must have.
const (
	SelfOK   = "ok"   // ends well, if its argument is "argument"
	SelfFail = "fail" // says "reason" and ends with status 3
	SelfHang = "hang" // never ends
)

// Self runs the cases of platform.Self. Args makes the arguments that run a
// command with its own arguments.
func Self(t *testing.T, self platform.Self, args func(command ...string) []string) {
	// A Go program has more than a megabyte, and none of ours a gigabyte.
	if n, err := self.Memory(); err != nil || n < 1<<20 || n > 1<<30 {
		t.Errorf("memory: %d bytes, %v", n, err)
	}
	if err := self.Run(t.Context(), args(SelfOK, "argument")...); err != nil {
		t.Errorf("ok: %v", err)
	}
	if err := self.Run(t.Context(), args(SelfOK, "other")...); err == nil {
		t.Error("the argument was not handed over")
	}

	err := self.Run(t.Context(), args(SelfFail)...)
	if err == nil {
		t.Fatal("fail: no error")
	}
	for _, want := range []string{"run ", SelfFail, "exit status 3", "reason"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("fail: error %q does not have %q", err, want)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := self.Run(ctx, args(SelfHang)...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: error %v", err)
	}
	if took := time.Since(began); took > soon {
		t.Errorf("hang: took %v", took)
	}
	cancel()
	if err := self.Run(ctx, args(SelfOK, "argument")...); err == nil {
		t.Error("started after ctx ended")
	}
}
