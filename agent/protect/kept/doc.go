// Package kept keeps the few values that a gateway must not lose, what its
// rules are made of, as plain files: each write is a new file, synced and
// renamed, and its predecessor stays. So the rules can be had before the
// database is open, and when it is damaged. It knows nothing of what it keeps,
// and is not for much: agent/store is.
package kept
