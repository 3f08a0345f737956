package signed

import "encoding/json"

// Args are the details of a statement: a struct for each kind, and for each op
// of a command.
type Args interface {
	names() (Kind, string) // of the statements they belong to
	check() error          // of the values; encoding and types were checked before
}

// DecodeArgs reads the args of a statement of T's kind and op.
func DecodeArgs[T Args](s Statement) (T, error) {
	var none T
	if kind, op := none.names(); kind != s.Kind || op != s.Op {
		return none, refuse(ReasonUnknownOp, "statement %s: its args are of %s %s, not of %s %s", s.ID, s.Kind, s.Op, kind, op)
	}
	a, err := decode[T](s.Args, "args of "+title(s.Kind, s.Op), ReasonInvalidArgs)
	if err != nil {
		return none, err
	}
	if err := a.check(); err != nil {
		return none, refuse(ReasonInvalidArgs, "args of %s: %v", title(s.Kind, s.Op), err)
	}
	return a, nil
}

// EncodeArgs fills kind, op and args of a statement.
func (s Statement) EncodeArgs(a Args) (Statement, error) {
	s.Kind, s.Op = a.names()
	text, err := encode(a)
	if err != nil {
		return s, refuse(ReasonInvalidArgs, "args of %s: %v", title(s.Kind, s.Op), err)
	}
	s.Args = json.RawMessage(text)
	return s, s.checkArgs()
}

func title(k Kind, op string) string {
	if op != "" {
		return string(k) + " " + op
	}
	return string(k)
}

// checkArgs knows every kind and op that there is.
func (s Statement) checkArgs() error {
	switch title(s.Kind, s.Op) {
	case "root":
		return valid[RootArgs](s)
	case "policy":
		return valid[Policy](s)
	case "config":
		return valid[Config](s)
	case "quarantine":
		return valid[QuarantineSet](s)
	case "devices":
		return valid[DeviceSet](s)
	case "command ping":
		return valid[Ping](s)
	case "command quarantine":
		return valid[Quarantine](s)
	case "command release":
		return valid[Release](s)
	case "command pin-role":
		return valid[PinRole](s)
	case "command tag":
		return valid[Tag](s)
	case "command break-glass":
		return valid[BreakGlass](s)
	case "command mode":
		return valid[Mode](s)
	case "command explain":
		return valid[Explain](s)
	case "command diagnostics":
		return valid[Diagnostics](s)
	case "command reboot":
		return valid[Reboot](s)
	}
	return refuse(ReasonUnknownOp, "statement: %.80q is not known", title(s.Kind, s.Op))
}

func valid[T Args](s Statement) error {
	_, err := DecodeArgs[T](s)
	return err
}
