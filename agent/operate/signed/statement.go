package signed

import (
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kind is what a statement is about: a command, or the state desired of
// something. Statements of state are retained by the broker.
type Kind string

// Kinds.
const (
	KindCommand    Kind = "command"
	KindRoot       Kind = "root"
	KindPolicy     Kind = "policy"
	KindConfig     Kind = "config"
	KindQuarantine Kind = "quarantine"
	KindDevices    Kind = "devices"
)

// Kinds lists them all.
func Kinds() []Kind {
	return []Kind{KindCommand, KindRoot, KindPolicy, KindConfig, KindQuarantine, KindDevices}
}

// PayloadType is the type that envelopes of the kind have.
func (k Kind) PayloadType() string { return "application/vnd.wardkeeper." + string(k) + "+json" }

// Statement is what people sign. As JSON it has these keys, in this order.
type Statement struct {
	V      int      `json:"v"` // 1
	Kind   Kind     `json:"kind"`
	Op     string   `json:"op,omitempty"` // of a command
	ID     string   `json:"id"`           // 8 to 64 of a-z 0-9 -
	Site   string   `json:"site"`
	Target []string `json:"target"` // names of gateways and "grp/NAME", sorted; or "all" alone
	// Seq grows with every statement: unix milliseconds, by wardctl.
	Seq       uint64 `json:"seq"`
	NotBefore string `json:"nbf"`  // RFC 3339 UTC in whole seconds, as 2026-11-28T14:00:00Z
	Expires   string `json:"exp"`  // the same
	Root      int    `json:"root"` // version of the root that it is signed under
	// BootID and DeadlineMS, in milliseconds since that boot, stand for the
	// times above at a gateway that has no trusted time.
	BootID     string          `json:"boot_id,omitempty"`
	DeadlineMS int64           `json:"deadline_ms,omitempty"`
	RollbackOf uint64          `json:"rollback_of,omitempty"` // seq of what it takes back, of state
	Reason     string          `json:"reason"`                // for people: 1 to 256 printable bytes
	Args       json.RawMessage `json:"args"`                  // canonical JSON of the struct of kind and op
}

// Bounds of a statement.
const (
	maxTargets = 256
	maxReason  = 256
	maxSeq     = 1<<53 - 1 // what every JSON reader keeps exact
)

// TimeFormat is how times are written in a statement.
const TimeFormat = "2006-01-02T15:04:05Z"

// all is the target of every gateway of the site.
const all = "all"

var (
	statementID = regexp.MustCompile(`^[a-z0-9-]{8,64}$`)
	level       = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`) // of a topic: sites, gateways, groups
	bootID      = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// ParseStatement reads a payload: canonical, and valid in itself. Whoever signed
// it is another question.
func ParseStatement(payload []byte) (Statement, error) {
	s, err := decode[Statement](payload, "statement", ReasonMalformed)
	if err != nil {
		return Statement{}, err
	}
	if err := s.check(); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// Sign makes an envelope of a statement, signed with the keys.
func Sign(s Statement, keys ...ed25519.PrivateKey) (Envelope, error) {
	payload, err := encode(s)
	if err != nil {
		return Envelope{}, refuse(ReasonMalformed, "encode statement: %v", err)
	}
	if _, err := ParseStatement(payload); err != nil {
		return Envelope{}, err
	}
	e := Envelope{PayloadType: s.Kind.PayloadType(), Payload: payload}
	for _, k := range keys {
		if e, err = e.Cosign(k); err != nil {
			return Envelope{}, err
		}
	}
	if _, err := e.Encode(); err != nil { // its size
		return Envelope{}, err
	}
	return e, nil
}

// NotBeforeTime is from when on the statement holds.
func (s Statement) NotBeforeTime() time.Time { return instant(s.NotBefore) }

// ExpiresTime is until when the statement may be acted on.
func (s Statement) ExpiresTime() time.Time { return instant(s.Expires) }

// Number is the place of a statement among those of its kind. The root comes
// first: a number without reason weighs nothing under the next one.
type Number struct {
	Root int    `json:"root"`
	Seq  uint64 `json:"seq"`
}

// Number is that of the statement.
func (s Statement) Number() Number { return Number{s.Root, s.Seq} }

// Compare is negative where n is the older of the two.
func (n Number) Compare(o Number) int {
	return cmp.Or(cmp.Compare(n.Root, o.Root), cmp.Compare(n.Seq, o.Seq))
}

// For refuses a statement that is not meant for the gateway of the site, which
// is in these groups.
func (s Statement) For(site, gateway string, groups ...string) error {
	if s.Site != site {
		return refuse(ReasonWrongSite, "statement %s is for site %q, this is %q", s.ID, s.Site, site)
	}
	for _, t := range s.Target {
		group, isGroup := strings.CutPrefix(t, "grp/")
		if isGroup && slices.Contains(groups, group) || t == gateway || t == all {
			return nil
		}
	}
	return refuse(ReasonWrongGateway, "statement %s is not for gateway %q or a group it is in", s.ID, gateway)
}

func (s Statement) check() error {
	if s.V != 1 {
		return refuse(ReasonMalformed, "statement: v %d: want 1", s.V)
	}
	if !slices.Contains(Kinds(), s.Kind) {
		return refuse(ReasonWrongType, "statement: kind %.80q is not known", s.Kind)
	}
	if !statementID.MatchString(s.ID) {
		return refuse(ReasonMalformed, "statement: id %.80q: want 8 to 64 of a-z 0-9 -", s.ID)
	}
	if !level.MatchString(s.Site) {
		return refuse(ReasonMalformed, "statement: site %.80q: want 1 to 64 of A-Z a-z 0-9 . _ -", s.Site)
	}
	if err := s.checkTarget(); err != nil {
		return err
	}
	if s.Seq == 0 || s.Seq > maxSeq {
		return refuse(ReasonMalformed, "statement: seq %d: want 1 to %d", s.Seq, uint64(maxSeq))
	}
	if s.RollbackOf != 0 && (s.Kind == KindCommand || s.Kind == KindRoot || s.RollbackOf >= s.Seq) {
		return refuse(ReasonMalformed, "statement: rollback_of %d: want the seq of an older statement of state", s.RollbackOf)
	}
	from, until := instant(s.NotBefore), instant(s.Expires)
	if from.IsZero() || until.IsZero() || !from.Before(until) {
		return refuse(ReasonMalformed, "statement: from nbf %.40q until exp %.40q: want two times as 2026-11-28T14:00:00Z", s.NotBefore, s.Expires)
	}
	if s.Root < 0 || s.Root == 0 && s.Kind != KindRoot {
		return refuse(ReasonMalformed, "statement: root %d: want the version of the root it is signed under", s.Root)
	}
	if (s.BootID == "") != (s.DeadlineMS == 0) || s.DeadlineMS < 0 || s.BootID != "" && !bootID.MatchString(s.BootID) {
		return refuse(ReasonMalformed, "statement: boot_id %.80q with deadline_ms %d: want both or none", s.BootID, s.DeadlineMS)
	}
	if !printable(s.Reason, maxReason) {
		return refuse(ReasonMalformed, "statement: reason: want 1 to %d printable bytes", maxReason)
	}
	return s.checkArgs()
}

func (s Statement) checkTarget() error {
	if len(s.Target) == 0 || len(s.Target) > maxTargets {
		return refuse(ReasonMalformed, "statement: %d targets: want 1 to %d", len(s.Target), maxTargets)
	}
	for i, t := range s.Target {
		if !level.MatchString(strings.TrimPrefix(t, "grp/")) || t == all && len(s.Target) > 1 {
			return refuse(ReasonMalformed, "statement: target %.80q: want names of gateways and grp/NAME, or \"all\" alone", t)
		}
		if i > 0 && s.Target[i-1] >= t {
			return refuse(ReasonMalformed, "statement: target %.80q: want them sorted, each once", t)
		}
	}
	return nil
}

// instant is the time in its one spelling, zero for any other.
func instant(text string) time.Time {
	t, err := time.Parse(TimeFormat, text)
	if err != nil || t.Format(TimeFormat) != text {
		return time.Time{}
	}
	return t
}

// printable reports a line of 1 to n bytes for people.
func printable(s string, n int) bool {
	return s != "" && len(s) <= n && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
