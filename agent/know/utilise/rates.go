package utilise

import "math/bits"

// learnDays is how many days the baseline covers, the present one included.
const learnDays = 7

// levels of a minute's bytes: two an octave from 32 bytes to 8 GB, which is
// half of a threshold's factor at the worst.
const (
	lowest = 5
	levels = 2 * 28
)

// level is the level of n bytes, n > 0.
func level(n uint64) int {
	k := bits.Len64(n) - 1
	l := 2 * (k - lowest)
	if k > 0 && n>>(k-1)&1 == 1 {
		l++
	}
	return min(max(l, 0), levels-1)
}

// middle is what stands for all bytes of a level.
func middle(level int) uint64 { return (5 + 2*uint64(level&1)) << (level/2 + lowest - 2) }

// rates count the minutes with traffic of each level, by day.
type rates struct {
	days  [learnDays][levels]uint16
	today uint8
}

func (r *rates) add(bytes uint64) {
	if n := &r.days[r.today][level(bytes)]; *n < 1<<16-1 {
		*n++
	}
}

// turn begins another day, in the place of the oldest.
func (r *rates) turn() {
	r.today = (r.today + 1) % learnDays
	r.days[r.today] = [levels]uint16{}
}

// enough is how many minutes with traffic make a baseline, least how many bytes a
// minute are more than keep-alives, of which loss alone makes now one, now six.
const (
	enough = 60
	least  = 1 << 10
)

// threshold is from how many bytes a minute on the device is busy: three times
// the rate of its idling (10th percentile of the minutes with traffic) and not
// less than 0.3 of that of its work (90th). False: too little was seen, or never
// two levels, so that nothing tells one from the other.
func (r *rates) threshold() (bytes uint64, ok bool) {
	var sum [levels]int
	total, highest := 0, 0
	for d := range r.days {
		for l, n := range r.days[d] {
			if n > 0 {
				sum[l] += int(n)
				total += int(n)
				highest = max(highest, l)
			}
		}
	}
	if total < enough {
		return 0, false
	}
	idle, active := percentile(&sum, total, 10), percentile(&sum, total, 90)
	bytes = max(3*middle(idle), 3*middle(active)/10, least)
	return bytes, middle(highest) >= bytes
}

func percentile(sum *[levels]int, total, percent int) int {
	n := 0
	for l, c := range sum {
		if n += c; n*100 >= total*percent {
			return l
		}
	}
	return levels - 1
}
