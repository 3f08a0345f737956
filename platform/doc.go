// Package platform says what the operating system owes the agent: small
// interfaces and the value types that cross them, in the standard library only.
//
// It is not an implementation. platform/linux is the real host, platform/fake
// an in-memory one with faults to inject, and platform/hosttest the one suite
// that both must pass. Nothing here knows what a device, a role or a policy is.
package platform
