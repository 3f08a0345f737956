//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// book keeps what is logged.
type book struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// TestPayloadOfRefusedPackets: of a packet that the kernel refused and logged,
// nothing behind its headers gets into an event, the log or a condition.
func TestPayloadOfRefusedPackets(t *testing.T) {
	const secret = "CANARY"
	r := openRig(t, rig.Options{})
	events, log := &emitted{}, &book{}
	opt := kernelOptions(t, wardSnapshot(t), events)
	opt.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	task := enforce.New(opt)
	denies := enforce.NewDenies(task)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- task.Run(ctx) }()
	go func() { done <- denies.Run(ctx) }()
	for what, ready := range map[string]<-chan struct{}{"enforce": task.Ready(), "denies": denies.Ready()} {
		select {
		case <-ready:
		case <-time.After(10 * time.Second):
			t.Fatalf("not ready: %s", what)
		}
	}
	row := named(t, "intruder: smb to the pump")[0]
	src, dst := netip.AddrFrom4([4]byte(row.Frame[26:])).String(), netip.AddrFrom4([4]byte(row.Frame[30:])).String()
	for proto, head := range map[uint8][]byte{6: hosttest.TCP(40000, 446, hosttest.SYN), 17: hosttest.UDP(40000, 447, []byte(secret)), 99: nil} {
		r.Send(row.In, append(bytes.Clone(row.Frame[:14]), hosttest.IPv4(src, dst, proto, 0, append(head, strings.Repeat(secret, 20)...))...))
	}
	for _, service := range []string{"tcp/446", "udp/447", "ip/99"} {
		events.await(t, "deny event of "+service, func(list []event.Event) bool {
			for _, e := range list {
				if d, ok := e.Body.(event.Deny); ok && d.Service == service {
					return true
				}
			}
			return false
		})
	}
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	told := log.buf.String() + fmt.Sprintf("%+v", opt.Board.Conditions())
	for _, e := range events.list {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		told += string(text)
	}
	if strings.Contains(told, secret) {
		t.Errorf("the payload gets out: %s", told)
	}
}
