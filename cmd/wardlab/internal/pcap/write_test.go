package pcap

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"
)

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(time.Unix(1, 2), []byte{0xaa, 0xbb}); err != nil {
		t.Fatal(err)
	}
	want := "4d3cb2a1" + "02000400" + "0000000000000000" + "ffff0000" + "01000000" + // file
		"01000000" + "02000000" + "02000000" + "02000000" + "aabb"
	if got := hex.EncodeToString(b.Bytes()); got != want {
		t.Errorf("file %s\nwant %s", got, want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriterErrors(t *testing.T) {
	if _, err := NewWriter(broken{}); err == nil || err.Error() != "write capture header: full" {
		t.Errorf("header: %v", err)
	}
	if err := (&Writer{w: broken{}}).Write(time.Unix(0, 0), nil); err == nil || err.Error() != "write captured frame: full" {
		t.Errorf("frame: %v", err)
	}
}
