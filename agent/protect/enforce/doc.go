// Package enforce keeps the kernel's packet filter as the policy wants it. It is
// level-triggered: whatever woke it (devices, policy, a stranger's change, a
// minute gone by), it compiles everything anew, reads the kernel, and does the
// next step towards agreement until there is none left. It also turns the
// filter's log into deny events.
//
// It decides nothing about packets: policy compiles the rules. It removes
// nothing when it ends: rules outlive the agent.
package enforce
