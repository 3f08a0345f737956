package extract

// quota is how much of one kind is handed over of a share: so many a second,
// and so many at once after a silence.
type quota struct{ rate, burst int64 }

// quotas are the shares of each kind. A device of a ward says a few things a
// second, most of them at its start; a conversation that is answered is worth
// more than one that is only tried. All shares of a port together fill some
// thirty batches a second and, after a silence, a hundred more.
type quotas struct{ sightings, facts, attempts, answered shares }

func newQuotas() quotas {
	return quotas{
		sightings: shares{quota: quota{8, 16}},
		facts:     shares{quota: quota{16, 128}}, // a DICOM association may propose 128 classes
		attempts:  shares{quota: quota{8, 64}},   // the inventory keeps 64 conversations of a device
		answered:  shares{quota: quota{32, 128}},
	}
}

const shareCount = 256

// shares keep one sender from taking the inventory's queue for itself. The
// devices of a port are dealt into them by the hash of their MAC, so that their
// number is bounded and a flood from one MAC costs the few others in its share,
// one of 256, and nobody else.
type shares struct {
	quota
	// due is when the share would be back at its full burst: in the past, it is;
	// as far ahead as the burst takes to come back, there is nothing left.
	due [shareCount]int64
}

// take takes one out of the share of a hash; false: nothing is left.
func (s *shares) take(hash uint64, now int64) bool {
	cost := second / s.rate
	due := &s.due[hash%shareCount]
	from := max(*due, now)
	if from+cost-now > s.burst*cost {
		return false
	}
	*due = from + cost
	return true
}
