package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/agent/atomicfile"
)

// The gateway's request for its certificate goes the other way than all else: a
// person takes it from the ESP, to the site's CA.
const (
	requestName = "gateway.csr"
	keyFolder   = dataFolder + "/pki" // where the agent makes the gateway's key
	ownRequest  = keyFolder + "/" + requestName
)

// handOutEvery is how often PID 1 looks for a new certificate request.
const handOutEvery = 10 * time.Second

// handOut copies the certificate request to the ESP whenever it has changed, for
// ever. It has its own goroutine: a card that does not answer must not keep the
// watchdog from being fed.
func handOut(say *speaker) {
	h := handout{from: ownRequest, to: filepath.Join(provided, requestName), remount: remountESP}
	last := ""
	for ; ; time.Sleep(handOutEvery) {
		done, err := h.export()
		if done {
			say.alarm("the request for the gateway's certificate is on the ESP: %s", requestName)
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != "" && text != last {
			say.alarm("copy the certificate request to the ESP: %s", text)
		}
		last = text
	}
}

// handout copies one file to a file system that is read-only otherwise.
type handout struct {
	from, to string
	remount  func(readOnly bool) error
	open     bool // it could not be made read-only again
}

// export copies the file if it has changed. Only while it does can the ESP, which
// the box boots from, be written: a power cut in that moment may cost the request,
// which is made again, or leave the FAT with clusters that nobody uses; the
// kernel's file is not touched. An ESP that stayed open is closed before anything else.
func (h *handout) export() (done bool, err error) {
	if h.open {
		if err := h.remount(true); err != nil {
			return false, err
		}
		h.open = false
	}
	text, err := changed(h.from, h.to)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // an agent that asks for nothing, or not yet
	}
	if text == nil || err != nil {
		return false, err
	}
	if err := h.remount(false); err != nil {
		return false, err
	}
	err = atomicfile.Write(h.to, text)
	done = err == nil
	closing := h.remount(true)
	h.open = closing != nil
	return done, errors.Join(err, closing)
}

// remountESP lets the ESP be written, or not. Read-only again, all is on the
// medium.
func remountESP(readOnly bool) error {
	flags := uintptr(unix.MS_REMOUNT | unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOEXEC)
	if readOnly {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("", root+"/esp", "", flags, ""); err != nil {
		return fmt.Errorf("remount the ESP (read-only %v): %w", readOnly, err)
	}
	return nil
}
