package console

import (
	"strconv"
	"strings"
	"time"
)

// A serial line does not tell how large the terminal is (it has no SIGWINCH), but
// most terminals say so when asked: save the cursor, go further than there is
// room, report where that is, come back. A dumb one shows a few characters more.
const sizeProbe = "\x1b7\x1b[999;999H\x1b[6n\x1b8"

const (
	// probeLimit is how long an answer is waited for. Nothing waits meanwhile.
	probeLimit = 300 * time.Millisecond
	usualRows  = 24
	leastRows  = 8
	mostRows   = 100
)

// probe asks the terminal for its size, once a person is there: at the first key
// behind a banner. Without an answer it has 24 rows. Of columns all answers use
// 79, as every terminal has them.
func (s *session) probe() error {
	s.rows, s.asked = usualRows, true
	err := s.term.write(sizeProbe, nil)
	s.probed = s.now()
	return err
}

// answering reports whether a key may be the terminal's, not a person's.
func (s *session) answering(key byte) bool {
	return s.asked && s.now()-s.probed < probeLimit && (key == keyEsc || s.editor.state != 0)
}

// sized takes the terminal's answer, as "43;132".
func (s *session) sized(report string) {
	rows, _, ok := strings.Cut(report, ";")
	n, err := strconv.Atoi(rows)
	if !ok || err != nil || !s.asked || s.now()-s.probed >= probeLimit {
		return
	}
	s.rows, s.asked = min(max(n, leastRows), mostRows), false
}
