package lab

import (
	"fmt"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
)

// tries shows attempts in a few lines.
func tries(attempts []sim.Attempt) []string {
	var out []string
	for _, r := range verdict.Rows(attempts) {
		out = append(out, fmt.Sprintf("%s -> %v %s: %s", r.Who(), r.To, outcomeWord(r.Outcome), r.Services))
	}
	return out
}

// outcomeWord is the outcome as an engineer on the ward reads it.
func outcomeWord(o sim.Outcome) string {
	switch o {
	case sim.Silent:
		return "denied"
	case sim.Refused:
		return "refused"
	}
	return o.String()
}
