package enforce

import "fmt"

// Refusal is an order that was not taken: nothing was changed.
type Refusal struct{ Code, Text string }

// Codes of refusals.
const (
	codeInterlock   = "interlock"    // of a life-sustaining device: two people, on site
	codeInvalidArgs = "invalid-args" //
	codeNotFound    = "not-found"    //
	codeNotAllowed  = "not-allowed"  // not on this gateway
	codeRateLimit   = "rate-limit"   // too many at once
)

// Error is the text.
func (r *Refusal) Error() string { return r.Text }

// Reason is the stable code: "interlock", "invalid-args", "not-found",
// "not-allowed", "rate-limit".
func (r *Refusal) Reason() string { return r.Code }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}
