package lab

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// ioctl requests of ptys (asm-generic/ioctls.h).
const (
	tiocsptlck = 0x40045431
	tiocgptn   = 0x80045430
)

// openPTY makes a pseudo-terminal: its master, and the path of the slave which
// the agent takes for its serial port.
func openPTY() (*os.File, string, error) {
	fd, err := syscall.Open("/dev/ptmx", syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open /dev/ptmx: %w", err)
	}
	var unlock, number int32
	if err := ioctl(fd, tiocsptlck, unsafe.Pointer(&unlock)); err != nil {
		syscall.Close(fd)
		return nil, "", fmt.Errorf("unlock pty: %w", err)
	}
	if err := ioctl(fd, tiocgptn, unsafe.Pointer(&number)); err != nil {
		syscall.Close(fd)
		return nil, "", fmt.Errorf("number of pty: %w", err)
	}
	return os.NewFile(uintptr(fd), "ptmx"), fmt.Sprintf("/dev/pts/%d", number), nil
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// rawTerminal switches the user's terminal to single characters without echo,
// for the agent's console to do both, and returns how to switch it back.
func rawTerminal(f *os.File) (restore func(), err error) {
	var old syscall.Termios
	fd := int(f.Fd())
	if err := ioctl(fd, syscall.TCGETS, unsafe.Pointer(&old)); err != nil {
		return nil, fmt.Errorf("--console: standard input is no terminal: %w", err)
	}
	raw := old
	raw.Lflag &^= syscall.ICANON | syscall.ECHO | syscall.IEXTEN
	raw.Iflag &^= syscall.ICRNL | syscall.IXON
	raw.Cc[syscall.VMIN], raw.Cc[syscall.VTIME] = 1, 0
	if err := ioctl(fd, syscall.TCSETS, unsafe.Pointer(&raw)); err != nil {
		return nil, fmt.Errorf("--console: set terminal: %w", err)
	}
	return func() { ioctl(fd, syscall.TCSETS, unsafe.Pointer(&old)) }, nil
}
