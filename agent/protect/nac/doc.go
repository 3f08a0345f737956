// Package nac asks the network outside the gateway to quarantine a device, by an
// ordered list of hooks (a program, a webhook, a RADIUS Disconnect-Request), and
// looks on the wire whether that had an effect. What was applied is owed: it is
// kept in a ledger until it is undone, over kill -9, reboots and clocks that jump.
//
// It decides no quarantine and fences nothing on the gateway itself: that is
// enforce. No hook runs for a device that counts as life-sustaining, or that
// could touch one, unless the order says that its interlock named the hook.
//
// Programs (on stdin) and web servers (by POST) get one JSON object:
//
//	{"v":1,"action":"apply","id":"…","device":"…","mac":"…","code":"…","seconds":3600}
//
// The same action may come again with the same id and must end the same; "undo"
// of what is not there is a success. A quarantine should lapse by itself after
// its seconds: a gateway whose ledger was lost does not undo it. A program ends
// with status 0 when it is done, with 1 when it refused and changed nothing; after
// any other nobody knows. A web server answers 2xx when it is done, 4xx when it
// refused; it should check Wardkeeper-Signature, "v1=" and the hexadecimal
// HMAC-SHA256 over Wardkeeper-Timestamp (seconds since 1970), a dot and the body,
// refuse time stamps that are minutes off, and an apply whose id it has undone:
// somebody may send what was sent before. What either of them says in words goes
// to the gateway's log and no further.
package nac
