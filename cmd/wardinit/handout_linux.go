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
	ownRequest  = root + "/data/pki/" + requestName
)

// handOutEvery is how often PID 1 looks for a new certificate request.
const handOutEvery = 10 * time.Second

// handOut copies the certificate request to the ESP whenever it has changed, for
// ever. It has its own goroutine: a card that does not answer must not keep the
// watchdog from being fed.
func handOut(say *speaker) {
	last := ""
	for ; ; time.Sleep(handOutEvery) {
		done, err := export(ownRequest, filepath.Join(provided, requestName), remountESP)
		switch {
		case done && err == nil:
			say.alarm("the request for the gateway's certificate is on the ESP: %s", requestName)
		case err != nil && err.Error() != last:
			say.info("copy the certificate request to the ESP: %v", err)
		}
		last = ""
		if err != nil {
			last = err.Error()
		}
	}
}

// export copies a file that has changed to a file system that is read-only but
// for that moment, so that a power cut finds nothing half written.
func export(from, to string, remount func(readOnly bool) error) (done bool, err error) {
	text, err := changed(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // an agent that asks for nothing, or not yet
	}
	if text == nil || err != nil {
		return false, err
	}
	if err := remount(false); err != nil {
		return false, err
	}
	err = atomicfile.Write(to, text)
	return err == nil, errors.Join(err, remount(true))
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
