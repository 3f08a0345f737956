package linux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Key is one key of an input device: a button on the box that the kernel's
// gpio_keys has there, or a keyboard's.
type Key struct {
	f     *os.File
	code  uint16
	queue []byte // events that were read and not yet looked at
}

// ErrNoKey marks an input device that is another one, or has no such key.
var ErrNoKey = errors.New("the device is another, or has no such key")

// Of linux/input.h and linux/input-event-codes.h.
const (
	evSyn, synDropped = 0, 3
	evKey             = 1
	keyBytes          = 0x300 / 8 // KEY_CNT bits
	eventSize         = int(unsafe.Sizeof(unix.Timeval{})) + 8
)

// EVIOCGBIT(EV_KEY), the keys that there are, and EVIOCGKEY, those that are down;
// EVIOCGID, where the device is, and EVIOCGNAME, how its driver calls it.
const (
	eviocGBitKey = 2<<30 | keyBytes<<16 | 'E'<<8 | 0x20 + evKey
	eviocGKey    = 2<<30 | keyBytes<<16 | 'E'<<8 | 0x18
	eviocGID     = 2<<30 | idBytes<<16 | 'E'<<8 | 0x02
	eviocGName   = 2<<30 | nameBytes<<16 | 'E'<<8 | 0x06

	idBytes, nameBytes = 8, 256
)

// Buses that anybody can plug something into, which then gives its own name.
const busUSB, busBluetooth = 0x03, 0x05

// OpenKey opens an input device as /dev/input/event0 for a key, by its code. The
// error wraps ErrNoKey where the device has none, is called otherwise, or hangs
// on a bus that is open to everybody: a keyboard is no button of the box.
func OpenKey(device, name string, code uint16) (*Key, error) {
	f, err := os.OpenFile(device, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open key: %w", err)
	}
	k := &Key{f: f, code: code}
	has, err := k.bit(eviocGBitKey)
	if err == nil && has {
		has, err = k.is(name)
	}
	if err == nil && !has {
		err = ErrNoKey
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open key %d of %s: %w", code, device, err), f.Close())
	}
	return k, nil
}

// is reports whether the device is the one of that name.
func (k *Key) is(name string) (bool, error) {
	var id [idBytes]byte
	var called [nameBytes]byte
	if err := ioctl(k.f, eviocGID, unsafe.Pointer(&id)); err != nil {
		return false, err
	}
	err := ioctl(k.f, eviocGName, unsafe.Pointer(&called))
	return isButton(id[:], called[:], name), err
}

// isButton judges what the kernel says of a device.
func isButton(id, called []byte, name string) bool {
	bus := binary.NativeEndian.Uint16(id)
	called, _, _ = bytes.Cut(called, []byte{0})
	return bus != busUSB && bus != busBluetooth && string(called) == name
}

// bit asks for a set of keys and reports whether ours is in it.
func (k *Key) bit(request uintptr) (bool, error) {
	var keys [keyBytes]byte
	if int(k.code)/8 >= len(keys) {
		return false, ErrNoKey
	}
	err := ioctl(k.f, request, unsafe.Pointer(&keys))
	return keys[k.code/8]&(1<<(k.code%8)) != 0, err
}

// Down reports whether the key is held down now.
func (k *Key) Down() (bool, error) { return k.bit(eviocGKey) }

// Next waits for the key to go down or up. Where the kernel lost events it tells
// how the key is now. The error is of a device that is gone, or closed.
func (k *Key) Next() (down bool, err error) {
	for {
		if len(k.queue) < eventSize {
			buf := make([]byte, 64*eventSize)
			n, err := k.f.Read(buf)
			if err != nil {
				return false, fmt.Errorf("read key: %w", err)
			}
			if k.queue = buf[:n]; n < eventSize {
				return false, fmt.Errorf("read key: %w", io.ErrUnexpectedEOF)
			}
		}
		e := k.queue[:eventSize]
		k.queue = k.queue[eventSize:]
		switch down, known, dropped := keyEvent(e[eventSize-8:], k.code); {
		case dropped:
			k.queue = nil
			return k.Down()
		case known:
			return down, nil
		}
	}
}

// keyEvent reads an event without its time: type, code, value. A key that
// repeats is down already.
func keyEvent(e []byte, code uint16) (down, known, dropped bool) {
	ne := binary.NativeEndian
	kind, what, value := ne.Uint16(e), ne.Uint16(e[2:]), ne.Uint32(e[4:])
	switch {
	case kind == evSyn && what == synDropped:
		return false, false, true
	case kind == evKey && what == code && value <= 1:
		return value == 1, true, false
	}
	return false, false, false
}

// Close ends a Next that waits.
func (k *Key) Close() error { return k.f.Close() }
