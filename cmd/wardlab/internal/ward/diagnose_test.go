package ward

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

func TestDiagnose(t *testing.T) {
	tests := []struct {
		name     string
		err      error
		switches map[string]string
		want     string
	}{
		{"clone switch", syscall.EPERM, map[string]string{"/proc/sys/kernel/unprivileged_userns_clone": "0"},
			"namespaces for the virtual ward: operation not permitted (this kernel forbids user namespaces to users: as root, sysctl kernel.unprivileged_userns_clone=1; or run wardlab as root)"},
		{"no namespaces", syscall.ENOSPC, map[string]string{"/proc/sys/user/max_user_namespaces": "0"},
			"namespaces for the virtual ward: no space left on device (this kernel allows no user namespaces: as root, sysctl user.max_user_namespaces=10000; or run wardlab as root)"},
		{"apparmor", syscall.EPERM, map[string]string{"/proc/sys/user/max_user_namespaces": "9", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"},
			"namespaces for the virtual ward: operation not permitted (AppArmor restricts user namespaces: as root, sysctl kernel.apparmor_restrict_unprivileged_userns=0; or run wardlab as root)"},
		{"nested", syscall.EUSERS, nil,
			"namespaces for the virtual ward: too many users (too many user namespaces, or nested too deeply: see sysctl user.max_user_namespaces; or run wardlab as root)"},
		{"not built", syscall.EINVAL, nil,
			"namespaces for the virtual ward: invalid argument (this kernel is built without namespaces: it needs CONFIG_USER_NS, CONFIG_NET_NS and CONFIG_PID_NS; or run wardlab as root)"},
		{"container", syscall.EPERM, nil,
			"namespaces for the virtual ward: operation not permitted (a container or security module forbids them: allow unprivileged user namespaces; or run wardlab as root)"},
		{"something else", syscall.ENOENT, nil, "no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Diagnose(tt.err, func(path string) string { return tt.switches[path] })
			if err.Error() != tt.want {
				t.Errorf("said %q\nwant %q", err, tt.want)
			}
			if !errors.Is(err, tt.err) {
				t.Error("the cause is lost")
			}
		})
	}
	wrapped := fmt.Errorf("start: %w", syscall.ENOENT)
	if got := Diagnose(wrapped, func(string) string { return "" }); got != wrapped {
		t.Errorf("an error of another kind became %v", got)
	}
}
