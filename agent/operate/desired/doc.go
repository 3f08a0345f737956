// Package desired keeps what the manager wants of a gateway: for each kind the
// newest signed statement that was accepted, by scope, and which of them counts
// here. It keeps them as files outside of the database, each beside its
// predecessor, so that a database that is lost opens no way back to an old one.
//
// A configuration is on trial until the gateway has reached its broker with it;
// else the one before returns, also after kill -9, a crash of the agent that
// reads it, and a reboot.
//
// The package verifies no signature and has no effect: operate/command does.
package desired
