package collect

import (
	"cmp"
	"slices"
)

// Account is what was received of one class in one epoch.
type Account struct {
	Class, Epoch string
	Received     uint64
	Lowest       uint64   // sequence number received, 0: none
	Last         uint64   // highest sequence number known
	Holes        uint64   // numbers of 1..Last that never came
	First        []uint64 // the first few of them
}

// Accounts lists all classes. The state class has no holes to speak of: it is
// the last value by key, and a value that was replaced before it could be sent
// is gone by design; of it only what was received is counted.
func (b *Book) Accounts() []Account {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Account
	for k, l := range b.ledgers {
		a := Account{Class: k.class, Epoch: k.epoch, Received: uint64(len(l.seen)), Last: l.last}
		for n := range l.seen {
			if a.Lowest == 0 || n < a.Lowest {
				a.Lowest = n
			}
		}
		if k.class != "state" {
			a.Holes = l.last - a.Received
			for n := uint64(1); len(a.First) < int(min(a.Holes, 5)); n++ {
				if _, ok := l.seen[n]; !ok {
					a.First = append(a.First, n)
				}
			}
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(x, y Account) int {
		return cmp.Or(cmp.Compare(x.Class, y.Class), cmp.Compare(x.Epoch, y.Epoch))
	})
	return out
}

// Complete reports whether there are events and none is missing.
func (b *Book) Complete() bool {
	accounts := b.Accounts()
	return len(accounts) > 0 && !slices.ContainsFunc(accounts, func(a Account) bool { return a.Holes > 0 })
}

// Twice is how many events came more than once.
func (b *Book) Twice() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.twice
}
