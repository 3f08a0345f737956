package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// speaker writes to the kernel's log: what is urgent is shown on the console
// whatever uses that line, and all is kept for those who ask later.
type speaker struct{ kmsg *os.File }

// newSpeaker works before anything is mounted, then it says nothing; open makes
// it heard.
func newSpeaker() *speaker { return &speaker{} }

func (s *speaker) open() error {
	f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open kernel log: %w", err)
	}
	s.kmsg = f
	// By default the kernel takes ten lines in five seconds.
	return os.WriteFile("/proc/sys/kernel/printk_devkmsg", []byte("on\n"), 0)
}

// Levels of the kernel's log; those below loglevel= are shown.
const (
	urgent = 3 // KERN_ERR
	usual  = 6 // KERN_INFO
)

func (s *speaker) log(level int, format string, args ...any) {
	if s.kmsg == nil {
		return
	}
	// One write is one record. A full log forgets its oldest; nothing waits. The
	// kernel refuses records above some 990 bytes.
	text := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintf(s.kmsg, "<%d>wardinit: %s\n", level, text[:min(len(text), mostSaid)])
}

const mostSaid = 800

// info is for the record, alarm for whoever stands before the box.
func (s *speaker) info(format string, args ...any)  { s.log(usual, format, args...) }
func (s *speaker) alarm(format string, args ...any) { s.log(urgent, format, args...) }
