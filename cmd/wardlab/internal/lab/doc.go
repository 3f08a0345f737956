// Package lab runs the virtual ward: it starts the hosts, the broker and the
// agent, lets the intruder loose once the devices are known and fenced in, and
// gathers the evidence which package verdict judges. It links nothing of the
// agent: it knows it as a hospital does, by its configuration file, its console
// and its messages.
package lab
