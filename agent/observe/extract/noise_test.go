package extract_test

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// noise is a capture of conversations in no medical protocol: random bytes,
// random text, and what other protocols say, mutated. Conversation n is the same
// each time, and the IPs of its two ends hold n.
type noise struct {
	samples [][]byte // what other protocols say
	n, step uint64   // the next conversation, and the distance to the one behind
	left    int      // bytes still to be made
	at      int64
	queue   [][]byte
}

var _ platform.FrameSource = (*noise)(nil)

func (s *noise) Next(time.Duration) (platform.Frame, error) {
	for len(s.queue) == 0 {
		if s.left <= 0 {
			return platform.Frame{}, io.EOF
		}
		s.queue = conversation(s.n, s.samples)
		s.n += s.step
	}
	b := s.queue[0]
	s.queue = s.queue[1:]
	s.left -= len(b)
	s.at += int64(time.Millisecond)
	return platform.Frame{Data: b, Length: len(b), Link: platform.LinkEthernet, Time: s.at}, nil
}

func (s *noise) Stats() platform.CaptureStats { return platform.CaptureStats{} }
func (s *noise) Mode() string                 { return "noise" }
func (s *noise) Close() error                 { return nil }

// conversationOf returns n of an end's IP, unless a mutation changed that.
func conversationOf(ip netip.Addr) uint64 {
	a := ip.As16()
	return uint64(binary.BigEndian.Uint32(a[12:]) & 0xffffff)
}

// conversation is what two ends say, in frames of which some are mutated too.
func conversation(n uint64, samples [][]byte) [][]byte {
	r := rand.New(rand.NewPCG(6, n))
	frames := talking(r, n, samples)
	for i := range frames {
		if r.IntN(16) == 0 {
			frames[i] = mutate(r, frames[i], samples)
		}
	}
	return frames
}

// talking is a conversation with or without a handshake.
func talking(r *rand.Rand, n uint64, samples [][]byte) (frames [][]byte) {
	side := func(net byte) end {
		port := uint16(r.IntN(65536))
		if r.IntN(2) == 0 {
			port = medicalPorts[r.IntN(len(medicalPorts))]
		}
		b := binary.BigEndian.AppendUint32(nil, uint32(n))
		return end{fact.MAC{2, net, b[0], b[1], b[2], b[3]}, netip.AddrFrom4([4]byte{net, b[1], b[2], b[3]}), port}
	}
	from, to := side(10), side(11)
	kind := r.IntN(4)
	if r.IntN(3) == 0 {
		for range 1 + r.IntN(4) {
			frames = append(frames, udp(from, to, utter(r, kind, samples)))
			from, to = to, from
		}
		return frames
	}
	seqs := [2]uint32{1000, 5000}
	if r.IntN(2) == 0 {
		frames = append(frames, tcp(from, to, syn, seqs[0]-1, nil), tcp(to, from, syn|ack, seqs[1]-1, nil))
	}
	for range 1 + r.IntN(6) {
		if r.IntN(2) == 0 {
			from, to, seqs[0], seqs[1] = to, from, seqs[1], seqs[0]
		}
		data := utter(r, kind, samples)
		frames = append(frames, tcp(from, to, ack, seqs[0], data))
		seqs[0] += uint32(len(data))
	}
	return frames
}

var (
	medicalPorts = []uint16{104, 2362, 2575, 3001, 3702, 4001, 4600, 4800, 5000, 6024, 7000, 7001, 9001, 9100, 11112, 12092, 24005, 24105, 30718}
	// leads are first bytes of medical protocols.
	leads = []string{"\x0b", "\r", "\x01\x00", "\x02\x00", "\x04\x00\x00\x00\x01", "\xe2\x00", "\xe3\x00", "\xe7\x00", "\x7e", "<", "<?xml ", "\x00\x00\x01\x00", "\xe1\x00\x00\x02\x00\x01",
		"\x0d", "\x0e", "\x01\x04\x00\x00", "DIGI", "\x7c\x83\x00\x01\xd9\x00", "\x81\x00", "\x00\x00\x00\xf7", "\x1b", "\x1bR", "\x01R", "\x01", "\x0100012\x02", "\x05", "\x021H|", "\x02", "!", "[", "MISCA,", "HTTP/1.1 200 OK\r\n\r\n<"}
	// words are what text is made of: letters, digits, and what separates fields
	// in lines, in markup and on serial ports.
	words = []string{"a", "the", "device", "ready", "OK", "ERROR", "H", "P", "R", "Q", "0", "1", "42", "2026", "3F", "A0", "3.14", " ", " ", "\r", "\n", "\r\n", "\t", "|", "|", "^", "~", "\\", "&", "<", "</", ">", "/>", "=", "\"", "'",
		",", ";", ":", "[", "]", "!", "?", "{", "}", "*", "#", "-", "_", "\x00", "\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "\x0b", "\x15", "\x17", "\x1b", "\x1c", "\x1e", "\x7e"}
)

// utter is one thing that is said: of kind 0 random bytes, of 1 random text, of
// others what another protocol says.
func utter(r *rand.Rand, kind int, samples [][]byte) (b []byte) {
	if kind < 2 && r.IntN(2) == 0 {
		b = append(b, leads[r.IntN(len(leads))]...)
	}
	size := r.IntN(1400)
	switch kind {
	case 0:
		mask := uint64(1<<64 - 1)
		if r.IntN(3) == 0 {
			mask = 0x0303030303030303 // many zeroes: what binary protocols are made of
		}
		for len(b) < size {
			b = binary.LittleEndian.AppendUint64(b, r.Uint64()&mask)
		}
	case 1:
		of := words
		if r.IntN(2) == 0 {
			of = words[:slices.Index(words, "\x00")] // printable
		}
		for len(b) < size {
			b = append(b, of[r.IntN(len(of))]...)
		}
	default:
		b = mutate(r, samples[r.IntN(len(samples))], samples)
	}
	return b[:min(len(b), 1400)]
}

// mutate is s with some bytes changed, moved, lost or put in.
func mutate(r *rand.Rand, s []byte, samples [][]byte) []byte {
	b := append(make([]byte, 0, 2*len(s)+64), s...)
	for range r.IntN(5) {
		if len(b) == 0 {
			break
		}
		i, j := r.IntN(len(b)), r.IntN(len(b))
		i, j = min(i, j), max(i, j)
		switch r.IntN(9) {
		case 0: // a bit
			b[i] ^= 1 << r.IntN(8)
		case 1: // a byte near the beginning, where the types stand
			b[r.IntN(min(len(b), 16))] = byte(r.Uint32())
		case 2: // what may be a length
			if j+2 <= len(b) {
				binary.BigEndian.PutUint16(b[j:], []uint16{0, 1, 0x7fff, 0xffff, uint16(len(b)), uint16(len(b) - j - 2)}[r.IntN(6)])
			}
		case 3: // cut
			b = b[:j]
		case 4: // come in later
			b = b[i:]
		case 5: // lost
			b = append(b[:i], b[j:]...)
		case 6: // twice
			b = append(b[:j:j], b[i:]...)
		case 7: // goes on as another
			other := samples[r.IntN(len(samples))]
			b = append(b[:i], other[r.IntN(len(other)):]...)
		case 8: // put in
			b = append(b[:i:i], append(binary.LittleEndian.AppendUint32(nil, r.Uint32()), b[i:]...)...)
		}
	}
	return b
}
