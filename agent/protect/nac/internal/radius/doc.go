// Package radius writes the one RADIUS request that quarantine needs, the
// Disconnect-Request of RFC 5176, and reads and verifies its answers.
//
// It is no RADIUS library: no accounting, no EAP, no dictionaries, no sockets.
package radius
