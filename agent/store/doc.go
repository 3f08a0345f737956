// Package store is the one bbolt file of the agent and the only door to it:
// safe creation, a preflight in a child process, a checksum per record, and a
// way out of every kind of damage that does not need a person.
//
// It is not a queue and knows no event, device or policy; rooms keep their
// records in buckets of their own. Nothing that enforces depends on it.
package store
