// Package onsite proves that a person stands at the gateway: one-time codes that
// the console shows and that an act which must not be done from afar has to name
// (the interlock of a life-sustaining device, a reboot while one is in use).
//
// It keeps a hash of a code, never the code, and nothing over a restart. It
// decides nothing: who asks for a code here, and what it then lets him do, is
// the asker's matter.
package onsite

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Bounds of the codes.
const (
	// GoodFor is how long a code is good.
	GoodFor = 10 * time.Minute
	// letters are what people cannot mistake for one another: no 0 O, 1 I L, 8 B, 6.
	// 28 of them make 38 bits of a code.
	letters    = "234579ACDEFGHJKMNPQRSTUVWXYZ"
	codeLength = 8
	maxCodes   = 16 // good at one time
	maxWrong   = 5  // tries, then the code is void
	// burst codes are made at once, then one every refill.
	burst  = 5
	refill = time.Minute
)

// ErrTooMany says that codes were asked for too fast.
var ErrTooMany = errors.New("too many codes were asked for")

// Codes are the codes that are good now. It is safe for concurrent use. Times
// are since boot: the wall clock may jump.
type Codes struct {
	salt [16]byte

	mu     sync.Mutex
	good   map[string]code // mu; by what they are for
	tokens int             // mu; codes that may be made at once
	since  time.Duration   // mu; of the last refill
}

type code struct {
	hash  [sha256.Size]byte
	ends  time.Duration
	wrong int
}

// NewCodes makes an empty set of codes.
func NewCodes() *Codes {
	c := &Codes{good: make(map[string]code), tokens: burst}
	_, _ = rand.Read(c.salt[:]) // never fails, see crypto/rand
	return c
}

// Make makes a code for the subject, a device's id or the gateway's name, good
// for GoodFor. The one made for it before is void.
func (c *Codes) Make(subject string, now time.Duration) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fill := int((now - c.since) / refill); fill > 0 {
		c.tokens, c.since = min(burst, c.tokens+fill), c.since+time.Duration(fill)*refill
	}
	for s, k := range c.good {
		if k.ends <= now {
			delete(c.good, s)
		}
	}
	_, again := c.good[subject]
	if c.tokens == 0 || !again && len(c.good) >= maxCodes {
		return "", fmt.Errorf("%w: try again in a minute", ErrTooMany)
	}
	c.tokens--
	text := make([]byte, codeLength)
	for i := range text {
		text[i] = letter()
	}
	c.good[subject] = code{hash: c.hash(subject, string(text)), ends: now + GoodFor}
	return string(text[:4]) + "-" + string(text[4:]), nil
}

// letter draws one, each as likely as another.
func letter() byte {
	var b [1]byte
	for {
		_, _ = rand.Read(b[:])
		if n := 256 / len(letters) * len(letters); int(b[0]) < n {
			return letters[int(b[0])%len(letters)]
		}
	}
}

// Use reports whether a code that a person gives is the subject's, and still
// good; then it is good no more. Small letters, spaces and the hyphen do not
// matter. A few wrong ones make the right one void.
func (c *Codes) Use(subject, given string, now time.Duration) bool {
	given = strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(given))
	hash := c.hash(subject, given)
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.good[subject]
	if !ok || k.ends <= now {
		return false
	}
	right := subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 1
	if k.wrong++; right || k.wrong >= maxWrong {
		delete(c.good, subject)
	} else {
		c.good[subject] = k
	}
	return right
}

// hash binds a code to its subject and this start of the agent.
func (c *Codes) hash(subject, text string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%x %q %q", c.salt, subject, text))
}
