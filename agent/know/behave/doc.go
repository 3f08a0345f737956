// Package behave keeps what devices do: for now their conversations, bounded
// per device, summed from the flow deltas of the observers.
//
// It judges nothing yet; alerts will be read from here. It belongs to the
// goroutine of the inventory and takes no locks.
package behave
