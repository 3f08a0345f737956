package extract

// recent remembers when something was last said, for a window and a bound: two
// generations, of which the older is forgotten when the younger is full or as
// old as the window. It forgets rather than refuses: under a flood the same
// things are said more often, but a new device is never kept out.
type recent struct {
	young, old map[uint64]int64
	limit      int
	window     int64
	turned     int64
}

func newRecent(limit int, window int64) recent {
	return recent{young: make(map[uint64]int64), old: make(map[uint64]int64), limit: limit, window: window}
}

// due reports whether it is time to say it; every is at most the window.
func (r *recent) due(key uint64, now, every int64) bool {
	at, ok := r.young[key]
	if !ok {
		at, ok = r.old[key]
	}
	return !ok || now-at >= every
}

// note notes that it was said.
func (r *recent) note(key uint64, now int64) {
	if _, ok := r.young[key]; !ok && (len(r.young) >= r.limit || now-r.turned >= r.window) {
		r.young, r.old, r.turned = r.old, r.young, now
		clear(r.young)
	}
	r.young[key] = now
}

// renew notes again what is about to be forgotten.
func (r *recent) renew(key uint64, now int64) {
	if _, ok := r.young[key]; ok {
		return
	}
	if _, ok := r.old[key]; ok {
		r.note(key, now)
	}
}

// has reports whether it was said within the window or so.
func (r *recent) has(key uint64) bool {
	if _, ok := r.young[key]; ok {
		return true
	}
	_, ok := r.old[key]
	return ok
}
