// Package console is the serial console: a few questions that a person with a
// cable can ask, answered in ASCII of 79 columns, without a login.
//
// It reads values that are there and waits for no other task. It changes one
// thing: break-glass opens the gateway for some minutes, where the configuration
// lets it and after a question; the kernel does it, in bounded time. The codes
// that it shows prove that a person is here. A terminal that takes no output, or
// sends megabytes of noise, costs the console's own goroutine and nothing else.
// What came from the network is shown without control characters, and of names
// only what cannot be a person's.
package console
