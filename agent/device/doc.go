// Package device is the vocabulary of the inventory: devices, identities,
// conversations and their snapshot, as immutable values.
//
// It decides nothing: know makes these values, everyone else reads them.
package device
