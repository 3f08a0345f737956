package ward

import (
	"fmt"
	"syscall"
	"unsafe"
)

// packetStatistics is PACKET_STATISTICS of linux/if_packet.h.
const packetStatistics = 6

// Dropped is how many frames the kernel could not queue for this socket since
// the last call: a count that misses frames proves nothing.
func (r *Raw) Dropped() (uint32, error) {
	var stats struct{ packets, drops uint32 }
	size := uint32(unsafe.Sizeof(stats))
	var errno syscall.Errno
	err := r.rc.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_PACKET, packetStatistics,
			uintptr(unsafe.Pointer(&stats)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err == nil && errno != 0 {
		err = errno
	}
	if err != nil {
		return 0, fmt.Errorf("packet socket statistics: %w", err)
	}
	return stats.drops, nil
}
