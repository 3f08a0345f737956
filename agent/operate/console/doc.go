// Package console is the serial console: a few questions that a person with a
// cable can ask, answered in ASCII of 79 columns, without a login.
//
// It changes nothing, asks no other task and waits for none: it reads values
// that are there. A terminal that takes no output, or sends megabytes of noise,
// costs the console's own goroutine and nothing else. What came from the network
// is shown without control characters, and of names only what cannot be a
// person's.
package console
