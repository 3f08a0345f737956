// Package signed is what a gateway obeys: statements that people have signed,
// and the root of trust that says whose signature is good for what. Nobody in
// between, the broker above all, is believed.
//
// An Envelope is DSSE v1 (github.com/secure-systems-lab/dsse) with Ed25519. What
// it carries is a Statement in canonical JSON: it is decoded strictly, encoded
// again, and the bytes must be the same. So a key that is repeated, unknown or
// in another case, a second spelling of a string or a number, and anything
// behind the end are refused: two readers cannot see two different orders.
//
// The Root lists keys with the person each belongs to, and for each Role who has
// it and how many people it takes. It is itself a statement, signed under itself
// and, from the second version on, under the version before.
//
// The package does no I/O and knows no clock: whether a statement is expired,
// was seen before, or is meant for this boot is the caller's to judge.
package signed
