// Package event is the vocabulary of what leaves the gateway: typed bodies, the
// classes that decide how long they are kept, and the envelope on the wire.
//
// It neither stores nor sends: report/outbox and report/uplink do.
package event
