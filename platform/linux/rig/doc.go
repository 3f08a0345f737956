// Package rig builds a gateway on a test bench out of Linux network namespaces:
// a bridge with four ports, and a raw wire on each. It satisfies hosttest.Rig.
//
// It is for tests (of platform/linux and cmd/wardlab) and never part of a
// product binary. Main must run the tests of a package that uses it: it moves
// the whole test process into a fresh namespace, as root or without.
package rig
