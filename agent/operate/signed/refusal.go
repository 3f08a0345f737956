package signed

import "fmt"

// Reason says in one word why something is not obeyed: stable, for programs.
type Reason string

// Reasons. This package gives those down to ReasonRollback; the others are of
// those who act on what was verified.
const (
	ReasonMalformed    Reason = "malformed"     // not what the format says
	ReasonOversize     Reason = "oversize"      // more than MaxEnvelope
	ReasonNotCanonical Reason = "not-canonical" // could be read in two ways
	ReasonWrongType    Reason = "wrong-type"    // payload type and kind differ, or are not known
	ReasonUnsigned     Reason = "unsigned"
	ReasonUnknownKey   Reason = "unknown-key"   // no signature is by a key of the root
	ReasonBadSignature Reason = "bad-signature" // a key of the root did not sign this
	ReasonThreshold    Reason = "threshold"     // too few people
	ReasonWrongRole    Reason = "wrong-role"    // no signer may sign this
	ReasonWrongSite    Reason = "wrong-site"
	ReasonWrongGateway Reason = "wrong-gateway"
	ReasonWrongRoot    Reason = "wrong-root"   // another version of the root, or one was left out
	ReasonInvalidArgs  Reason = "invalid-args" // of the kind and op
	ReasonUnknownOp    Reason = "unknown-op"
	ReasonRollback     Reason = "rollback" // older than what is in force

	ReasonExpired     Reason = "expired"
	ReasonNotYet      Reason = "not-yet"
	ReasonStaleBoot   Reason = "stale-boot"   // meant for another boot of this gateway
	ReasonNoClock     Reason = "no-clock"     // no trusted time, and no boot named
	ReasonReplayedSeq Reason = "replayed-seq" // a newer one was accepted before
	ReasonInterlock   Reason = "interlock"    // of a life-sustaining device: two people, on site
	ReasonBusy        Reason = "busy"
	ReasonNotFound    Reason = "not-found"
	ReasonNotAllowed  Reason = "not-allowed"
	ReasonRateLimit   Reason = "rate-limit"
)

// Refusal is why a statement is not obeyed.
type Refusal struct {
	Code Reason
	Text string // for people: what was found, and what was wanted
}

// Error is the reason with its text.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Text }

// Reason is the code, in the way that refusals of every room give theirs.
func (r *Refusal) Reason() string { return string(r.Code) }

func refuse(code Reason, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}
