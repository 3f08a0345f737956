// Package ward builds the virtual ward out of Linux network namespaces: one
// per host, veth cables, a switch, an uplink network, and the gateway's bridge
// in the caller's own namespace. A Host opens sockets that live in its
// namespace, so that what crosses the gateway is the kernel's own TCP/IP. It
// knows nothing of what the hosts say.
package ward
