// Package flows keeps what must be remembered between frames: a bounded table
// of flows that hands over deltas of its counts, the first bytes of each
// direction of a TCP connection (light TCP), and datagrams in fragments.
//
// It is not a TCP stack: it answers nothing, checks no windows and keeps no
// more of a stream than its reader asks for. A table belongs to one goroutine
// and holds no pointers in its records, so that a garbage collection costs the
// same with a hundred flows and with a hundred thousand.
package flows
