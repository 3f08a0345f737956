package outbox

import "sort"

// shelf is the index of one class on disk: what is there, oldest first.
type shelf struct {
	items []item
	gone  int // items that were removed from the middle
	bytes int64
	// by key, of State only
	byKey map[string]uint64
	keyOf map[uint64]string
}

type item struct {
	seq  uint64
	size uint32 // of key and record; 0: gone
}

func newShelf() *shelf {
	return &shelf{byKey: make(map[string]uint64), keyOf: make(map[uint64]string)}
}

// add puts the newest item.
func (s *shelf) add(seq uint64, size int, key string) {
	s.items = append(s.items, item{seq, uint32(size)})
	s.bytes += int64(size)
	if key != "" {
		s.byKey[key] = seq
		s.keyOf[seq] = key
	}
}

// find is the index of the first item with at least that number.
func (s *shelf) find(seq uint64) int {
	return sort.Search(len(s.items), func(i int) bool { return s.items[i].seq >= seq })
}

// remove takes an item out and returns its size, 0 if it is not there.
func (s *shelf) remove(seq uint64) int {
	i := s.find(seq)
	if i == len(s.items) || s.items[i].seq != seq || s.items[i].size == 0 {
		return 0
	}
	size := int(s.items[i].size)
	s.items[i].size = 0
	s.gone++
	s.bytes -= int64(size)
	if key, ok := s.keyOf[seq]; ok {
		delete(s.keyOf, seq)
		if s.byKey[key] == seq {
			delete(s.byKey, key)
		}
	}
	for len(s.items) > 0 && s.items[0].size == 0 {
		s.items = s.items[1:]
		s.gone--
	}
	if s.gone > 64 && s.gone > len(s.items)/2 {
		kept := make([]item, 0, len(s.items)-s.gone)
		for _, it := range s.items {
			if it.size != 0 {
				kept = append(kept, it)
			}
		}
		s.items, s.gone = kept, 0
	}
	return size
}

// len is the number of items.
func (s *shelf) len() int { return len(s.items) - s.gone }

// oldest lists up to n items after the first skip ones.
func (s *shelf) oldest(skip, n int) []item {
	var out []item
	for _, it := range s.items {
		if it.size == 0 {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(out) == n {
			break
		}
		out = append(out, it)
	}
	return out
}

// after lists items with greater numbers, while they fit into max bytes; the
// first always does.
func (s *shelf) after(seq uint64, max int) []item {
	var out []item
	for _, it := range s.items[s.find(seq+1):] {
		if it.size == 0 {
			continue
		}
		if max -= int(it.size); max < 0 && len(out) > 0 {
			break
		}
		out = append(out, it)
	}
	return out
}
