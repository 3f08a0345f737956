// Command wardkeeper is the agent on a ward gateway. It wires the real host, the
// configuration and the agent together, and nothing else; every decision is
// made in package agent and its rooms.
package main
