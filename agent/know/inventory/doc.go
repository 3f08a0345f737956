// Package inventory keeps the devices: it merges sightings, facts and flows
// into them, has them classified, remembers them across restarts and hands out
// immutable snapshots.
//
// It reads no frame and decides no role: observers feed it, a Classifier
// judges. One goroutine owns it; Book is that state without the goroutine, for
// replay and tests.
package inventory
