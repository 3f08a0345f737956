// Package enforce keeps the kernel's packet filter as the policy wants it. It is
// level-triggered: whatever woke it (devices, policy, a stranger's change, a
// minute gone by), it compiles everything anew, reads the kernel, and does the
// next step towards agreement until there is none left. It also turns the
// filter's log into deny events.
//
// What a person orders (break-glass, quarantine, release) does not wait for that:
// it goes to the kernel by itself, is read back, and the reconciliation follows.
// Orders, policies and modes that would cut a life-sustaining device from its
// clinical peers are refused here, whoever signed them, but for a quarantine
// under the interlock.
//
// It decides nothing about packets: policy compiles the rules. It removes
// nothing when it ends: rules outlive the agent.
package enforce
