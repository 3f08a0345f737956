//go:build !linux

package child

import "syscall"

// attr gives the program a process group of its own.
func attr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
