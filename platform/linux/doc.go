// Package linux is the real host: the only package that talks to the kernel of
// a gateway. It translates between the kernel's interfaces (netlink, packet
// sockets, sysfs, termios) and the value types of package platform.
//
// It decides nothing. Which rules to load, which ports to listen on and what to
// do about an error is the business of its callers.
package linux
