package ward

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netns"
)

// namespace is a network namespace that lives as long as its descriptor, or a
// socket in it.
type namespace struct {
	handle netns.NsHandle
}

// newNamespace makes one. The thread that made it stays in it and is thrown
// away with its goroutine.
func newNamespace() (*namespace, error) {
	type result struct {
		h   netns.NsHandle
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread must not be reused
		h, err := netns.New()
		done <- result{h, err}
	}()
	r := <-done
	if r.err != nil {
		return nil, Diagnose(fmt.Errorf("new network namespace: %w", r.err), readSwitch)
	}
	return &namespace{handle: r.h}, nil
}

// do runs fn on a thread that is in the namespace. Sockets which fn opens stay
// in the namespace for good, whoever uses them later.
func (n *namespace) do(fn func() error) error {
	if n == nil { // the caller's own namespace
		return fn()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: a thread in the wrong namespace is worse than a new one
		if err := netns.Set(n.handle); err != nil {
			done <- fmt.Errorf("enter network namespace: %w", err)
			return
		}
		done <- fn()
	}()
	return <-done
}

func (n *namespace) close() error { return n.handle.Close() }

// sysctl writes a setting of the current thread's network namespace.
func sysctl(path, value string) error {
	err := os.WriteFile("/proc/sys/"+path, []byte(value), 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // a kernel without the feature needs no setting of it
	}
	if err != nil {
		return fmt.Errorf("sysctl %s=%s: %w", path, value, err)
	}
	return nil
}

// quiet turns off what would send frames nobody asked for (IPv6 router
// solicitations, MLD), before any interface exists in the namespace.
func quiet() error {
	for _, s := range []string{"default", "all"} {
		if err := sysctl("net/ipv6/conf/"+s+"/disable_ipv6", "1"); err != nil {
			return err
		}
	}
	return nil
}
