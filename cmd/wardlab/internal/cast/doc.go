// Package cast names who is on the virtual ward: each host's part, hardware
// address, network address, names and the role the agent must find for it. All
// of it follows from one seed, so that a shuffled lab is a different ward of
// the same vendors. It knows nothing of sockets or of the agent.
package cast
