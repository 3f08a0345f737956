//go:build !unix

package store

import (
	"io"
	"os"
)

// lockFile only marks the place here; bbolt's own lock keeps others out.
func lockFile(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}
