// Package child runs one program for the exec hook: without a shell, with a
// bounded time and a bounded output, and with all that it started ended with it.
// It is the one place of the agent that starts a program of somebody else's.
//
// It does not know what the program is for.
package child
