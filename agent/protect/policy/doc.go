// Package policy turns what people wrote about a ward, and which devices are
// there, into the rules of the packet filter: policy TOML → Policy, Policy and
// inventory → Placement, both → Compiled → platform.Table. All of it is pure:
// the same input gives the same bytes, so rules can be read, compared and tested
// without a kernel.
//
// It does not talk to the kernel and keeps no state: enforce does. It does not
// know how a role was found, only that it was.
package policy
