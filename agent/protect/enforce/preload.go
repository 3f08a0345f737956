package enforce

import (
	"context"
	"errors"
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// Preload puts the newest confirmed rules that can be had into the kernel and
// reads them back; where they cannot, their predecessor; where nothing was ever
// confirmed, the table that refuses nothing. It is for the boot, before a port
// is up, instead of Run. An error means that none of these is in place: what is
// may be half of it.
func (t *Task) Preload(ctx context.Context) (said string, err error) {
	t.remember(ctx)
	var errs []error
	known := false
	for want, err := range t.confirmed() {
		known = true
		if err == nil {
			err = t.converge(ctx, want, new([]action))
		}
		if err == nil {
			return placed(want, errors.Join(errs...)), nil
		}
		errs = append(errs, err)
	}
	if known {
		return "", errors.Join(errs...)
	}
	empty, err := policy.Compile(policy.Input{Policy: policy.None(), Pairs: t.pairs, Internal: t.opt.Internal, Uplink: t.opt.Uplink})
	if err == nil {
		err = t.converge(ctx, empty, new([]action))
	}
	if err != nil {
		return "", err
	}
	return placed(empty, nil), nil
}

// placed says what is in the kernel now; passed over is why it is not what was
// confirmed last.
func placed(c *policy.Compiled, passedOver error) string {
	fenced := 0
	for _, m := range c.Input().Placement.Members {
		if m.Mode == policy.Enforce {
			fenced++
		}
	}
	said := fmt.Sprintf("policy %d is in place, %d devices are fenced in", c.Version, fenced)
	if passedOver != nil {
		said += "; not the newest: " + passedOver.Error()
	}
	return said
}
