package store

import (
	"errors"
	"io/fs"
	"strings"

	berrors "go.etcd.io/bbolt/errors"
)

// Errors that a caller tells apart.
var (
	// ErrFull: there is no room for the transaction. It was rolled back whole;
	// delete a few records (at most eight at a time: deleting needs pages too)
	// and try again.
	ErrFull = errors.New("store is full")
	// ErrUnknown: the transaction may be there after the next start or not, and
	// this process must not touch the file again. Every later call fails alike.
	ErrUnknown = errors.New("state of the store is unknown until it is opened again")
	// ErrDamaged: the file or a record is not what was written.
	ErrDamaged = errors.New("damaged")
	// ErrInUse: another process has the store open.
	ErrInUse = errors.New("in use by another process")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("store is closed")
)

// errSlow: the disk did not make a new file in time.
var errSlow = errors.New("the disk is slow")

// full reports an error after which bbolt has rolled back and is still sound.
func full(err error) bool {
	return errors.Is(err, berrors.ErrMaxSizeReached) || says(err, "no space left on device", "disk quota exceeded", "disc quota exceeded")
}

// unusable reports that the place is at fault, not the file: another file there
// would fare no better, so nothing is moved aside.
func unusable(err error) bool {
	return full(err) || errors.Is(err, errSlow) || errors.Is(err, fs.ErrPermission) || says(err, "read-only file system", "not a directory", "is a directory",
		"cannot allocate memory", "too many open files")
}

// says looks for the text of an error number. bbolt hands some on as text only,
// and the texts are Go's own, the same on every box.
func says(err error, texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(err.Error(), t) {
			return true
		}
	}
	return false
}
