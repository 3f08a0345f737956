// Package extract turns frames into facts: it runs the dissectors on each
// frame, decides which device a message speaks of, and hands over batches of
// facts, sightings and flow deltas.
//
// It is the second half of the PHI gate: all that leaves is a fact.Value, made
// by fact.New. It does not identify devices (that is know) and does not keep
// what it saw, apart from what keeps it from saying the same thing twice.
package extract
