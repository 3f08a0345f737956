package fake

import "io/fs"

// errno is a kernel's error by its text. Like a real one it answers to the
// errors of package io/fs.
type errno string

// Errors of nftables.
const (
	enoent  errno = "no such file or directory"
	eexist  errno = "file exists"
	ebusy   errno = "device or resource busy"
	einval  errno = "invalid argument"
	enfile  errno = "too many open files in system"
	emlink  errno = "too many links"
	enobufs errno = "no buffer space available"
	eperm   errno = "operation not permitted"
)

// Error is the text.
func (e errno) Error() string { return string(e) }

// Is maps the error as syscall.Errno does.
func (e errno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == enoent
	case fs.ErrExist:
		return e == eexist
	case fs.ErrPermission:
		return e == eperm
	}
	return false
}
