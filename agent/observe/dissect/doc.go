// Package dissect reads frames and application messages: bytes in, closed
// structs out. A View is the header path (link, network, transport) and
// borrows the frame; an application message copies the few fields that it may
// keep and borrows nothing.
//
// It is the first half of the PHI gate: what a struct has no field for cannot
// leave. It keeps no state, knows no device and imports nothing of ours; who a
// message speaks of is decided in extract.
package dissect
