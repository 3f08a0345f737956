package main

import (
	"errors"
	"os"
	"path/filepath"
)

// sysctls sets what the kernel must be for a box that forwards and keeps
// secrets of nobody.
func sysctls() error {
	var errs []error
	for _, s := range [][2]string{
		{"kernel/panic", "3"}, // a kernel that is done for starts over
		{"kernel/panic_on_oops", "1"},
		{"kernel/sysrq", "0"},         // a BREAK on the line is the console's
		{"kernel/core_pattern", "\n"}, // none: memory of the agent never gets to a disk
		{"fs/suid_dumpable", "0"},
		{"kernel/kptr_restrict", "2"},
		{"net/ipv4/ip_forward", "0"}, // it is a bridge: no packet takes another way
		{"net/ipv6/conf/all/forwarding", "0"},
		{"net/ipv6/conf/default/disable_ipv6", "1"}, // ports say nothing of their own
		{"net/ipv4/conf/all/arp_ignore", "1"},
		{"net/ipv4/conf/all/rp_filter", "1"},
		{"net/ipv4/tcp_syncookies", "1"},
	} {
		if err := os.WriteFile(filepath.Join("/proc/sys", s[0]), []byte(s[1]), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
