package ward

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// ethtool's request codes (linux/ethtool.h, linux/sockios.h).
const (
	siocEthtool  = 0x8946
	ethtoolSTxCs = 0x17
)

// wholeFrames makes an interface send what a network card sends: frames within
// the MTU with complete checksums. A veth otherwise passes on segments of up to
// 64 KiB whose checksum nobody has computed, and a capture would see those.
func wholeFrames(link string) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("turn off offloads of %s: %w", link, err)
	}
	defer syscall.Close(fd)
	// Without transmit checksums the kernel withdraws scatter-gather and
	// segmentation offload by itself.
	value := struct{ cmd, data uint32 }{ethtoolSTxCs, 0}
	var request struct {
		name [syscall.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the rest of struct ifreq's union
	}
	copy(request.name[:syscall.IFNAMSIZ-1], link)
	request.data = unsafe.Pointer(&value)
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), siocEthtool, uintptr(unsafe.Pointer(&request)))
	runtime.KeepAlive(&value)
	if errno != 0 {
		return fmt.Errorf("turn off offloads of %s: %w", link, errno)
	}
	return nil
}
