// Command wardctl is the operator's tool. It runs anywhere: it replays captures
// through the agent's own rooms, signs a gateway's certificate request with the
// site's CA, and writes what makes a gateway this one onto its disk.
//
// It talks to no gateway and no broker yet; signing of policy and fleet come
// later.
package main
