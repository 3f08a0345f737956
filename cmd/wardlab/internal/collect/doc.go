// Package collect is the hospital's side of the uplink: a broker on the
// gateway's loopback, a subscriber, and the book of every event by its
// sequence number. It reads the wire format as documented, with types of its
// own, so that a change of the agent's cannot pass unseen.
package collect
