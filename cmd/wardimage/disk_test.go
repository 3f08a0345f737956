package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/images"
)

func TestPlace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "part")
	content := append(make([]byte, 1<<16), "end"...)
	write(t, file, string(content))
	disk, err := os.Create(filepath.Join(dir, "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	p := images.Partition{First: 2, Last: 200}
	if err := place(disk, p, file); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(content))
	if _, err := disk.ReadAt(got, p.Offset()); err != nil || !bytes.Equal(got, content) {
		t.Errorf("read back %q, %v", bytes.TrimLeft(got, "\x00"), err)
	}
	p.Last = 129
	if err := place(disk, p, file); err == nil || !strings.Contains(err.Error(), "65539 bytes do not fit the partition's 65536") {
		t.Errorf("too large: %v", err)
	}
}
