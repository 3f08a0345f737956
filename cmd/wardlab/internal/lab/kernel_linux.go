package lab

// kernelCounters reads the packet counters of the agent's drop rules from the
// kernel, past the agent.
func kernelCounters() (map[string]uint64, error) { return nil, nil }
