package lifesign

import "time"

// Signs, a byte each.
const (
	Alive  = 'a' // every Every while the agent is well
	Fenced = 'f' // once: it has put its rules into the kernel and read them back
	Hung   = 'h' // one of its tasks hangs, and it wants to be killed and started again
	Ending = 'e' // the last: it ends, for which it wants EndLimit
	Reboot = 'r' // it wants the gateway to start anew, which it may not do itself
)

// RebootAfter is how long a gateway that starts anew waits, so that the agent's
// answer goes out.
const RebootAfter = 3 * time.Second

// EndLimit is what an agent may take from Ending to its end: it commits its last
// records, and brings them to a broker that may be far away.
const EndLimit = 10 * time.Second

// FaultLine is what the agent's log says when a task acts out a fault that PID 1 has
// asked for.
const FaultLine = "test: a task acts out a fault"

// Every is how often an agent that is well says so.
const Every = time.Second
