package lifesign

import "time"

// Signs, a byte each.
const (
	Alive  = 'a' // every Every while the agent is well
	Fenced = 'f' // once: it has put its rules into the kernel and read them back
)

// Every is how often an agent that is well says so.
const Every = time.Second
