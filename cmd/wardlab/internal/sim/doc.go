// Package sim plays the hosts of the virtual ward: an infusion pump, a patient
// monitor, an ultrasound, a printer, an office PC, an intruder, the servers
// behind the uplink, and in scenes what wards of a kind have besides. They talk
// over the kernel's TCP/IP of their own namespaces; their messages come from
// package wire. A simulator reports what was answered; it judges nothing.
package sim
