package flows

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// reader reads a protocol of the tests: "$", text, ";".
type reader struct {
	got   []string // address of the sender, text
	cut   []string // what was left unfinished
	calls int
}

func (r *reader) Begins(b []byte) bool { return b[0] == '$' }

func (r *reader) Read(c *Conn, b []byte, final bool) (used int, p dissect.Progress) {
	r.calls++
	for used < len(b) {
		if b[used] != '$' {
			return used, dissect.No
		}
		n := bytes.IndexByte(b[used:], ';')
		if n < 0 {
			if final {
				r.cut = append(r.cut, fmt.Sprint(c.From.IP, " ", string(b[used+1:])))
			}
			return used, dissect.NeedMore
		}
		r.got = append(r.got, fmt.Sprint(c.From.IP, " ", string(b[used+1:used+n])))
		used += n + 1
	}
	return used, dissect.Done
}

func TestStreams(t *testing.T) {
	const me = "192.0.2.1 "
	data := func(seq uint32, s string) *dissect.View { return tcp(pump, server, ack, seq, s) }
	open := func(v ...*dissect.View) []*dissect.View {
		return append([]*dissect.View{tcp(pump, server, syn, 99, "")}, v...)
	}
	back := func(ackd uint32) *dissect.View {
		v := tcp(server, pump, ack, 1, "")
		v.TCP.Ack = ackd
		return v
	}
	long := strings.Repeat("x", 3000)
	tests := []struct {
		name  string
		views []*dissect.View
		got   []string
		cut   []string
	}{
		{"one segment", open(data(100, "$a;")), []string{"a"}, nil},
		{"data on the SYN", []*dissect.View{tcp(pump, server, syn, 99, "$a;")}, []string{"a"}, nil},
		{"two segments", open(data(100, "$he"), data(103, "llo;")), []string{"hello"}, nil},
		{"byte by byte", open(data(100, "$"), data(101, "a"), data(102, "b"), data(103, ";")), []string{"ab"}, nil},
		{"out of order", open(data(103, "llo;"), data(100, "$he")), []string{"hello"}, nil},
		{"out of order in the middle", open(data(100, "$he"), data(105, "o;"), data(103, "ll")), []string{"hello"}, nil},
		{"retransmitted", open(data(100, "$he"), data(100, "$he"), data(103, "llo;"), data(103, "llo;")), []string{"hello"}, nil},
		{"overlap: the first wins", open(data(100, "$he"), data(102, "XXlo;"), data(100, "$heXX")), []string{"heXlo"}, nil},
		{"overlap ahead: the first wins", open(data(102, "el"), data(100, "$hXXlo;")), []string{"hello"}, nil},
		{"sequence numbers wrap", append([]*dissect.View{tcp(pump, server, syn, 0xfffffffe, "")}, data(0xffffffff, "$h"), data(1, "i;")),
			[]string{"hi"}, nil},
		{"in the middle", []*dissect.View{data(5000, "$he"), data(5003, "llo;")}, []string{"hello"}, nil},
		{"in the middle of a message", []*dissect.View{data(5000, "lo;"), data(5003, "$a;")}, []string{"a"}, nil},
		{"later messages where they begin a segment", open(data(100, "hello"), data(105, "$a;"), data(108, "?"), data(109, "$b;")),
			[]string{"a", "b"}, nil},
		{"later message in two segments", open(data(100, "$a;"), data(103, "$b"), data(105, "c;")), []string{"a", "bc"}, nil},
		{"a later message is not read twice", open(data(100, "$a;"), data(103, "$b;"), data(103, "$b;"), data(100, "$a;")), []string{"a", "b"}, nil},
		{"two messages, the second split", open(data(100, "$a;$b"), data(105, "c;")), []string{"a", "bc"}, nil},
		{"the reader drops what it has used", open(data(100, "$a"), data(102, ";$b"), data(105, "c;")), []string{"a", "bc"}, nil},
		{"keep-alive", open(data(99, "\x00"), data(100, "$a;")), []string{"a"}, nil},
		{"unfinished at FIN", open(data(100, "$he"), tcp(pump, server, ack|fin, 103, "")), nil, []string{"he"}},
		{"unfinished at RST", open(data(100, "$he"), tcp(server, pump, rst, 1, "")), nil, []string{"he"}},
		{"FIN overtakes", open(data(103, "llo;"), tcp(pump, server, ack|fin, 107, ""), data(100, "$he")), []string{"hello"}, nil},
		{"lost by the capture", open(data(100, "$he"), data(110, "$b;"), back(113)), []string{"b"}, []string{"he"}},
		{"the same again after it was too long", open(data(100, "$"+long), data(3101, long), data(3101, long), data(100, "$"+long), data(6101, "$a;")),
			[]string{"a"}, []string{long}},
		{"sequence numbers wrap out of order", append([]*dissect.View{tcp(pump, server, syn, 0xfffffffc, "")}, data(1, "lo;"), data(0xfffffffd, "$hel")),
			[]string{"hello"}, nil},
		{"a segment far ahead", open(data(100, "$he"), data(1<<31, "$a;"), data(103, "$b;")), []string{"a"}, []string{"he"}},
		{"half of the circle away", open(data(100+1<<31, "$a;"), data(100, "$b;")), []string{"b"}, nil},
		{"half of the circle away in the middle", []*dissect.View{tcp(pump, server, ack, 100, "$h"), tcp(pump, server, ack, 100+1<<31, "$a;"), tcp(pump, server, ack, 102, "i;")}, []string{"hi"}, nil},
		{"more holes than are counted", open(data(100, "$h"), data(104, "1"), data(106, "2"), data(108, "3"), data(110, "4"), data(112, "5"),
			data(114, "6"), data(116, "7"), data(118, "8"), data(120, "$a;")), []string{"a"}, []string{"h"}},
		{"data on the RST", open(data(100, "$he"), tcp(pump, server, rst, 103, "llo;")), []string{"hello"}, nil},
		{"data after the RST", open(tcp(pump, server, rst, 100, ""), data(100, "$a;")), []string{"a"}, nil},
		{"data on the SYN, retransmitted with more", []*dissect.View{tcp(pump, server, syn, 99, "$a"), tcp(pump, server, syn, 99, "$ab;")}, []string{"ab"}, nil},
		{"retransmitted with more, from before the message", open(data(100, "$a;$b"), data(100, "$a;$bc;")), []string{"a", "bc"}, nil},
		{"retransmitted with another message", open(data(100, "$a;"), data(100, "$a;$b;")), []string{"a", "b"}, nil},
		{"retransmitted with more after it was too long", open(data(100, "$"+long), data(3101, long), data(3101, long+"$a;")), []string{"a"}, []string{long}},
		{"too long", open(data(100, "$"+long), data(3101, long), data(6101, "$a;")), []string{"a"}, []string{long}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rd := &reader{}
			table := New(Options{Read: rd, Streams: 4, StreamBytes: 4096})
			feed(table, BothDevices, tt.views...)
			with := func(list []string) (out []string) {
				for _, s := range list {
					out = append(out, me+s)
				}
				return out
			}
			if diff := cmp.Diff(with(tt.got), rd.got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(with(tt.cut), rd.cut); diff != "" {
				t.Errorf("unfinished (-want +got):\n%s", diff)
			}
			table.Close()
			if s := &table.streams; s.live != 0 || s.room != max(4*smallest, 2*4096) {
				t.Errorf("%d streams live, room %d after Close", s.live, s.room)
			}
		})
	}
}

// Both directions in the middle of a connection, each split, and mixed.
func TestBothDirectionsInTheMiddle(t *testing.T) {
	rd := &reader{}
	table := New(Options{Read: rd})
	feed(table, BothDevices, tcp(pump, server, ack, 7000, "$he"), tcp(server, pump, ack, 90, "lost;"), tcp(server, pump, ack, 95, "$wor"),
		tcp(pump, server, ack, 7003, "llo;"), tcp(server, pump, ack, 99, "ld;"))
	if diff := cmp.Diff([]string{"192.0.2.1 hello", "198.51.100.9 world"}, rd.got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// TestStreamsInAnyOrder cuts a message anywhere, repeats and shuffles its
// segments: what comes out is the message.
func TestStreamsInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := strings.Repeat("0123456789", 1+rng.IntN(40))
		msg := "$" + text + ";"
		var segments []*dissect.View
		for at := 0; at < len(msg); {
			n := min(1+rng.IntN(120), len(msg)-at)
			segments = append(segments, tcp(pump, server, ack, 100+uint32(at), msg[at:at+n]))
			at += n - min(rng.IntN(3), n-1)*rng.IntN(2) // some overlap
		}
		// Segments may overtake within a window: more holes than spans can hold
		// are loss.
		for i := range segments {
			if j := i + rng.IntN(4); j < len(segments) {
				segments[i], segments[j] = segments[j], segments[i]
			}
		}
		rd := &reader{}
		table := New(Options{Read: rd})
		feed(table, BothDevices, tcp(pump, server, syn, 99, ""))
		feed(table, BothDevices, segments...)
		if diff := cmp.Diff([]string{"192.0.2.1 " + text}, rd.got); diff != "" {
			t.Fatalf("%d segments (-want +got):\n%s", len(segments), diff)
		}
	}
}

func TestStreamsStayInBounds(t *testing.T) {
	rd := &reader{}
	table := New(Options{Read: rd, Streams: 8, StreamBytes: 8192})
	room := table.streams.room
	big := "$" + strings.Repeat("x", 5000)
	for i := range 1000 {
		h := host{fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), 40000}
		feed(table, BothDevices, tcp(h, server, ack, 1, big))
		held := 0
		for j := range table.streams.s {
			held += len(table.streams.s[j].buf)
		}
		if held > room || table.streams.live > 8 || table.streams.room != room-held {
			t.Fatalf("after %d: %d bytes in %d streams, %d left of %d", i, held, table.streams.live, table.streams.room, room)
		}
	}
	if table.Stats().StreamsEvicted == 0 {
		t.Error("no stream was evicted")
	}
}

// FuzzStreams feeds segments that the fuzzer orders; the table must hold its
// bounds and show the reader only what was sent.
func FuzzStreams(f *testing.F) {
	f.Add([]byte("\x02\x63\x00\x10\x64\x03$he\x10\x67\x04llo;"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rd := &reader{}
		table := New(Options{Read: rd, Flows: 4, Streams: 2, StreamBytes: 2048})
		sent := 0
		for at := int64(0); len(b) >= 3; at += sec / 10 {
			flags, seq, n := b[0], uint32(b[1]), min(int(b[2]), len(b)-3)
			seq <<= flags >> 5 & 3 * 8 // all of the circle
			v := tcp(host{"192.0.2.1", 40000 + uint16(flags>>3&1)}, server, flags&0x1f, seq, string(b[3:3+n]))
			if flags&0x80 != 0 {
				v = tcp(server, pump, flags&0x1f, seq, string(b[3:3+n]))
			}
			v.TCP.Ack = seq
			sent += n
			b = b[3+n:]
			table.Frame(v, BothDevices, at, at, 1, uint64(n))
			table.Report(at)
		}
		table.Close()
		for _, s := range append(rd.got, rd.cut...) {
			if len(s) > sent+len("198.51.100.9 ") {
				t.Fatalf("a message of %d bytes, %d sent", len(s), sent)
			}
		}
		if table.Len() != 0 || table.streams.live != 0 {
			t.Fatalf("%d flows, %d streams after Close", table.Len(), table.streams.live)
		}
	})
}
