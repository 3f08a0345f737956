// Package fact is the vocabulary of what may be known from a frame: facts,
// sightings and flow deltas, about one device each. It is the PHI gate: a value
// of an unlisted kind cannot be made, and every value passes its kind's shape.
//
// It is not a store and it does not read frames; observe makes facts, know
// keeps them.
package fact
