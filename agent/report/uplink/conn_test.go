package uplink

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

func TestFraming(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		want string // error
		acks []uint16
	}{
		{"connack, puback, pingresp", []byte{0x20, 2, 0, 0, 0x40, 2, 0x12, 0x34, 0xd0, 0, 0x40, 2, 0, 7}, "", []uint16{0x1234, 7}},
		{"publish that looks like a puback inside", []byte{0x30, 6, 0, 2, 0x40, 2, 0, 9}, "", nil},
		{"puback of another length", []byte{0x40, 3, 0, 9, 0}, "", nil},
		{"1 MiB", []byte{0x30, 0x80, 0x80, 0x40}, "", nil},
		{"1 MiB and one", []byte{0x30, 0x81, 0x80, 0x40}, "broker announced a packet that is too long: 1048577 bytes or more, at most 1048576", nil},
		{"256 MiB", []byte{0x30, 0xff, 0xff, 0xff, 0x7f}, "broker announced a packet that is too long: 2097151 bytes or more, at most 1048576", nil},
		{"five bytes of length", []byte{0x30, 0x80, 0x80, 0x80, 0x80, 0x80}, "broker sent a packet length of more than four bytes", nil},
	}
	for _, tt := range tests {
		a, b := net.Pipe()
		go func() { b.Write(tt.in); b.Close() }()
		w := &watched{Conn: a}
		_, err := io.ReadAll(w)
		if got := ""; err != nil || tt.want != "" {
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
			if err := w.objection(); err == nil || err.Error() != tt.want {
				t.Errorf("%s: objection %v", tt.name, err)
			}
		}
		for _, id := range tt.acks {
			if !w.takeAck(id) || w.takeAck(id) {
				t.Errorf("%s: PUBACK %d must be there once", tt.name, id)
			}
		}
		for id := range 1 << 16 {
			if w.takeAck(uint16(id)) {
				t.Errorf("%s: PUBACK %d out of nothing", tt.name, id)
			}
		}
	}
}

// FuzzFraming: however the bytes are cut into reads, the framing sees the same,
// and never lets an announcement of too much through.
func FuzzFraming(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0x40, 2, 0, 7}, 3)
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		whole, parts := &watched{}, &watched{}
		read := func(w *watched, r io.Reader) error { w.Conn = fakeConn{r: r}; _, err := io.ReadAll(w); return err }
		err1 := read(whole, bytes.NewReader(in))
		err2 := read(parts, io.MultiReader(bytes.NewReader(in[:max(0, min(cut, len(in)))]), bytes.NewReader(in[max(0, min(cut, len(in))):])))
		if (err1 == nil) != (err2 == nil) || whole.acks != parts.acks {
			t.Errorf("%v, %v", err1, err2)
		}
		if errors.Is(err1, errTooLong) != (whole.length > maxPacket) {
			t.Errorf("length %d: %v", whole.length, err1)
		}
	})
}

type fakeConn struct {
	net.Conn
	r io.Reader
}

func (c fakeConn) Read(b []byte) (int, error) { return c.r.Read(b) }
func (c fakeConn) Close() error               { return nil }
