package hosttest

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

func testLog(b *bench) {
	logged := func(prefix string, m ...platform.Match) platform.Rule {
		r := drop(m...)
		r.Log = &platform.Log{Group: 7, Snaplen: 128, Prefix: prefix}
		r.Counter = true
		return r
	}
	only := eq(platform.MetaOIFName, platform.NameKey(Ward2))
	b.load(table([]platform.Rule{logged("wk arp", only, etherType(0x0806)), logged("wk d", only)}))
	source, err := b.fw.Logged(7)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.rig.Firewall().Logged(7); err == nil {
		b.Error("a second reader got the group")
	}
	if _, err := source.Next(10 * time.Millisecond); !errors.Is(err, platform.ErrNoFrame) {
		b.Errorf("nothing logged: %v", err)
	}
	ip6 := IPv6("fd00::1", "fd00::2", 0, Options(17, UDP(68, 67, nil)))
	for _, c := range []struct {
		prefix string
		frame  []byte
		l2     int
	}{
		{"wk d", udp(49152, 443), 14},
		{"wk d", Tag(udp(49152, 443), 0x8100, 0x6007), 18},
		{"wk d", Ethernet(MAC(2), MAC(1), 0x86dd, ip6), 14},
		{"wk d", Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 6, 0, TCP(1, 445, SYN))), 14},
		{"wk d", Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 17, 3, make([]byte, 30))), 14},
		{"wk arp", Ethernet(Broadcast(), MAC(1), 0x0806, ARP(2, MAC(1), "10.0.0.1", MAC(2), "10.0.0.2")), 14},
		{"wk d", plain(1), 14},
	} {
		start := time.Now()
		b.rig.Send(Ward1, c.frame)
		got, err := source.Next(patience)
		if err != nil {
			b.Fatal(err)
		}
		inner := binary.BigEndian.Uint16(c.frame[c.l2-2:])
		want := platform.ParseLogEntry(c.frame[:c.l2], inner, c.frame[c.l2:])
		want.Prefix, want.In, want.Out = c.prefix, Ward1, Ward2
		if got.Time == 0 {
			b.Error("no time")
		}
		got.Time = 0
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b platform.LogEntry) bool { return a == b })); diff != "" {
			b.Errorf("want -, got +:\n%s", diff)
		}
		if took := time.Since(start); took > 500*time.Millisecond {
			b.Errorf("the entry took %v", took)
		}
	}
	testLogLost(b, source)
	waiting := make(chan error)
	go func() {
		_, err := source.Next(time.Minute)
		waiting <- err
	}()
	time.Sleep(10 * time.Millisecond)
	if err := source.Close(); err != nil {
		b.Error(err)
	}
	if err := <-waiting; !errors.Is(err, platform.ErrClosed) {
		b.Errorf("after close: %v", err)
	}
	again, err := b.fw.Logged(7)
	if err != nil {
		b.Fatal(err)
	}
	_ = again.Close()
}

// testLogLost logs more than the queue takes: each entry is read or counted.
func testLogLost(b *bench, source platform.LogSource) {
	b.Helper()
	logged := func() uint64 { return b.read().Chains[0].Rules[1].Packets }
	before := logged()
	for range 20000 {
		b.rig.Send(Ward1, plain(1))
	}
	var sent uint64
	for sent == 0 || sent != logged()-before {
		sent = logged() - before
		b.rig.Advance(quiet)
	}
	var read uint64
	for {
		if _, err := source.Next(10 * quiet); err != nil { // a reader that sleeps on a busy machine is not at the end
			break
		}
		read++
	}
	// How many were lost is known when a later one arrives.
	b.rig.Send(Ward1, plain(2))
	if _, err := source.Next(patience); err != nil {
		b.Error(err)
	}
	b.Logf("%d read, %d lost", read, source.Lost())
	if source.Lost() == 0 || read+source.Lost() != sent {
		b.Errorf("%d read and %d lost of %d", read, source.Lost(), sent)
	}
}
