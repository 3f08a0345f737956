package ward

// Enter calls run inside the lab's namespaces, re-executing the program if it
// is not there yet, and returns its exit code. An error says why there can be
// no lab on this machine.
func Enter(run func() int) (int, error) {
	if !Inside() {
		return Reexec()
	}
	if err := Mounts(); err != nil {
		return 0, err
	}
	return run(), nil
}
