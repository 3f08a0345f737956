package ward

import (
	"errors"
	"fmt"
	"syscall"
)

// Diagnose says what a refused namespace lacks, and how to allow it. read
// returns the kernel setting of a path, "" where there is none.
func Diagnose(err error, read func(path string) string) error {
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.ENOSPC) &&
		!errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOSYS) && !errors.Is(err, syscall.EUSERS) {
		return err
	}
	hint := "a container or security module forbids them: allow unprivileged user namespaces"
	switch {
	case read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
		hint = "this kernel forbids user namespaces to users: as root, sysctl kernel.unprivileged_userns_clone=1"
	case read("/proc/sys/user/max_user_namespaces") == "0":
		hint = "this kernel allows no user namespaces: as root, sysctl user.max_user_namespaces=10000"
	case read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
		hint = "AppArmor restricts user namespaces: as root, sysctl kernel.apparmor_restrict_unprivileged_userns=0"
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EUSERS):
		hint = "too many user namespaces, or nested too deeply: see sysctl user.max_user_namespaces"
	case errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSYS):
		hint = "this kernel is built without namespaces: it needs CONFIG_USER_NS, CONFIG_NET_NS and CONFIG_PID_NS"
	}
	return fmt.Errorf("namespaces for the virtual ward: %w (%s; or run wardlab as root)", err, hint)
}
