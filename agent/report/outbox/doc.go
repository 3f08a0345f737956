// Package outbox keeps events until someone else has them: a bounded queue in
// memory that never blocks its writers, and behind it a durable queue by class
// in the store, with sequence numbers that have no holes.
//
// It does not send, and nothing that enforces waits for it. When there is too
// much it drops the oldest of the least important class, and counts it.
package outbox
