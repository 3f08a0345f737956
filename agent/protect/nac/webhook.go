package nac

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// Bounds of a webhook call.
const (
	webTries    = 4
	webPause    = 500 * time.Millisecond // before the second try, doubled each time
	webResponse = 4096                   // bytes of a response that are read
)

// webhook is the hook of that name: a POST of the request as JSON.
type webhook struct {
	common
	url    string
	secret []byte
	post   poster
	clock  *clock.Clock
}

func (w *webhook) UndoStep() string { return `POST "action":"undo" to the URL of hook ` + w.name }

func (w *webhook) Apply(ctx context.Context, r Request) Result { return w.call(ctx, actApply, r) }

func (w *webhook) Undo(ctx context.Context, r Request) Result { return w.call(ctx, actUndo, r) }

// call posts until somebody answers for good, the tries are over, or the time.
func (w *webhook) call(ctx context.Context, action string, r Request) Result {
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	body, err := encode(action, r)
	if err != nil {
		return Result{Outcome: Refused, Text: err.Error()}
	}
	pause := webPause
	maybe := false // a try that nobody knows the end of may have done it: who refuses the next one refuses too late
	var last Result
	for try := range webTries {
		if try > 0 {
			// Half of the pause is by chance: after an outage not all gateways come at once.
			if !wait(ctx, pause/2+rand.N(pause)) {
				break
			}
			pause *= 2
		}
		var sent atomic.Bool
		status, said, err := w.send(ctx, r.ID+"-"+action, body, &sent)
		if err != nil {
			last, maybe = Result{Text: err.Error()}, maybe || sent.Load()
			continue
		}
		last = Result{Text: fmt.Sprintf("HTTP %d", status), Said: said}
		switch {
		case status/100 == 2:
			last.Outcome = Done
			return last
		case status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests:
		case status/100 == 3 || status/100 == 4:
			return notDone(maybe, last)
		default:
			maybe = true
		}
	}
	return notDone(maybe, last)
}

// notDone is the answer to a call that nobody said yes to.
func notDone(maybe bool, last Result) Result {
	last.Outcome = Refused
	if maybe {
		last.Outcome = Unsure
	}
	return last
}

// send posts the body once, signed with the time of this try: HMAC-SHA256 over
// the time stamp, a dot and the body. sent is set once the request may have
// reached somebody.
func (w *webhook) send(ctx context.Context, key string, body []byte, sent *atomic.Bool) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("make request: %w", err)
	}
	stamp := strconv.FormatInt(w.clock.Now().Wall.Unix(), 10)
	h := hmac.New(sha256.New, w.secret)
	h.Write([]byte(stamp + "."))
	h.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "wardkeeper")
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Wardkeeper-Timestamp", stamp)
	req.Header.Set("Wardkeeper-Signature", "v1="+hex.EncodeToString(h.Sum(nil)))
	status, said, err := w.post.do(ctx, req, sent)
	if err != nil {
		return 0, "", fmt.Errorf("POST to %s: %w", req.URL.Host, err)
	}
	return status, line(said), nil
}
