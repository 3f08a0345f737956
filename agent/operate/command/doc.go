// Package command is how a gateway obeys: what comes from the broker is checked
// (who signed it, for whom, for when, and that it is newer than what came
// before), written down, done, and answered.
//
// A command is done once: its id is in the journal as executing before its
// effect and with its answer after it. What is found executing at a start is
// done again unless its time is over, which is right because every effect can be
// repeated. What must hold longer than a command is desired state
// (operate/desired): the newest statement counts, over restarts.
//
// The highest number of each sequence is kept as a file outside of the database,
// so that neither its loss nor that of the journal lets an old order in again.
//
// The package cuts and opens nothing itself: it asks Fence, Devices, Box and
// Config, and what they refuse is answered so.
package command
