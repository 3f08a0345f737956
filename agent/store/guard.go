package store

import (
	"fmt"
	"runtime/debug"
)

// guard runs fn so that a fault of the mapped file (an I/O error under mmap is
// SIGBUS, a page past the end SIGSEGV) or a panic of bbolt becomes an error.
// It covers this goroutine only, which is why Check runs in a child process.
func guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if p := recover(); p != nil {
			err = &faultError{text: fmt.Sprintf("%.120v", p)}
		}
	}()
	return fn()
}

// faultError is a recovered panic.
type faultError struct{ text string }

func (e *faultError) Error() string { return "fault: " + e.text }
