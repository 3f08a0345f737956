package child

import "syscall"

// attr gives the program a process group of its own, and ends it with the agent,
// also by kill -9: the next start asks again, and must not be overtaken by it.
func attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
