package store

import (
	"errors"
	"syscall"

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

// full reports an error after which bbolt has rolled back and is still sound.
func full(err error) bool {
	return errors.Is(err, berrors.ErrMaxSizeReached) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// unusable reports that the place is at fault, not the file: another file there
// would fare no better, so nothing is moved aside.
func unusable(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EACCES, syscall.EPERM, syscall.ENOTDIR, syscall.EISDIR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
