// Command wardctl is the operator's tool. It runs anywhere: it replays captures
// through the agent's own rooms, without a gateway, a kernel or a broker.
//
// It changes nothing on any gateway yet; signing and fleet come later.
package main
