// Command wardlab is a virtual hospital ward on one machine: devices, servers
// and an intruder in network namespaces, the gateway's ports between them, and
// the built agent as a child process. It shows what the agent finds and denies,
// and judges it by what the hosts themselves counted. It is a laboratory, no
// part of what a gateway runs, and links nothing of the agent.
package main
