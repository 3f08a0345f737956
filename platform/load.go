package platform

// Load is the change that makes the kernel's table this one, whatever was there
// before: names first, then sets (a verdict map names chains), then rules (they
// name sets).
func (t Table) Load() Change {
	c := Change{Family: t.Family, Table: t.Name}
	c.Steps = append(c.Steps, Step{DeleteTable: &struct{}{}}, Step{AddTable: &struct{}{}})
	for _, chain := range t.Chains {
		c.Steps = append(c.Steps, Step{AddChain: &Chain{Name: chain.Name, Hook: chain.Hook}})
	}
	for _, set := range t.Sets {
		c.Steps = append(c.Steps, Step{AddSet: &set})
	}
	for _, chain := range t.Chains {
		if len(chain.Rules) > 0 {
			c.Steps = append(c.Steps, Step{AddChain: &Chain{Name: chain.Name, Rules: chain.Rules}})
		}
	}
	return c
}
