package uplink

import (
	"math/rand/v2"
	"time"
)

// Bounds of the wait between two attempts.
const (
	firstWait = time.Second
	mostWait  = 5 * time.Minute
)

// wait is how long to wait after so many attempts in a row: full jitter, so
// that a fleet does not come back as one, but never nothing at all.
func wait(attempts int) time.Duration {
	limit := mostWait
	if attempts < 9 { // 2⁹ s is above the limit
		limit = min(limit, firstWait<<attempts)
	}
	return 50*time.Millisecond + rand.N(limit)
}
