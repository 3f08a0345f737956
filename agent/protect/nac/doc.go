// Package nac asks the network outside the gateway to quarantine a device, by an
// ordered list of hooks (a program, a webhook, a RADIUS Disconnect-Request), and
// looks on the wire whether that had an effect. What was applied is owed: it is
// kept in a ledger until it is undone, over kill -9, reboots and clocks that jump.
//
// It decides no quarantine and fences nothing on the gateway itself: that is
// enforce. No hook runs for a device that counts as life-sustaining, or that
// could touch one, unless the order says that its interlock named the hook.
package nac
