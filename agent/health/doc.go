// Package health is the board of what is wrong right now: conditions with a
// code, a severity and one line of text, set and cleared by the tasks.
//
// It is not a log and keeps no history; the console, the state message and the
// logs all show the same board.
package health
