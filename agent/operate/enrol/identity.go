package enrol

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/atomicfile"
	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// Options of an Identity.
type Options struct {
	Gateway       string
	CA, Cert, Key string // files, PEM; CA may be ""
	// Own is the folder below which the gateway may make its key; a key that is
	// missing elsewhere is a mistake in the configuration.
	Own   string
	Clock *clock.Clock
	Board *health.Board
	Log   *slog.Logger
}

// Identity is the gateway as the broker knows it. It is a Task.
type Identity struct {
	opt   Options
	ready chan struct{}

	mu     sync.Mutex
	status Status
}

// Status is how the enrolment stands, for people.
type Status struct {
	State       string    // one line
	Fingerprint string    // of the key, "" while there is none
	Request     string    // PEM, "" while there is none
	Since       time.Time // of the certificate, zero while there is none: this moment has passed
}

// New makes an identity.
func New(opt Options) *Identity { return &Identity{opt: opt, ready: make(chan struct{})} }

// String names the task.
func (i *Identity) String() string { return "enrol" }

// Ready is closed once Run is at work, certificate or not.
func (i *Identity) Ready() <-chan struct{} { return i.ready }

// Status tells how it stands.
func (i *Identity) Status() Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.status
}

// lookEvery is how often the files are looked at: a person who has put the
// certificate there is waiting.
const lookEvery = 10 * time.Second

// Run makes what is missing and looks for the certificate until ctx ends.
func (i *Identity) Run(ctx context.Context) error {
	tick, beat := time.NewTicker(lookEvery), time.NewTicker(health.BeatEvery)
	defer tick.Stop()
	defer beat.Stop()
	i.look()
	close(i.ready)
	for {
		i.opt.Board.Beat(i.String(), i.opt.Clock.Now().Mono)
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		case <-tick.C:
			i.look()
		}
	}
}

// errWaiting is no fault, but a gateway that nobody has enrolled yet.
var errWaiting = errors.New("waiting for its certificate")

// Certificate is what a connection is opened with. It reads the files anew: a
// certificate that came or was renewed needs no new start.
func (i *Identity) Certificate() (tls.Certificate, error) {
	key, err := readKey(i.opt.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	chain, err := i.chain(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	out := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out, nil
}

// chain reads the certificate, if it is one for this gateway.
func (i *Identity) chain(key crypto.Signer) ([]*x509.Certificate, error) {
	cert, err := os.ReadFile(i.opt.Cert)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errWaiting
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	ca, err := readOptional(i.opt.CA)
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	chain, err := Check(cert, ca, i.opt.Gateway, key.Public())
	if err != nil {
		return nil, fmt.Errorf("its certificate %s is refused: %w", i.opt.Cert, err)
	}
	return chain, nil
}

// Conditions, of which one at most is up.
const (
	codeKey     = "enrol.key"     // no key, and none can be made
	codeWaiting = "enrol.waiting" // nobody has signed the request yet
	codeRefused = "enrol.refused" // the certificate is not for this gateway
	codeEnds    = "enrol.ends"    // the certificate ends soon, or has
)

// look takes stock of the files and makes what is missing.
func (i *Identity) look() {
	i.opt.Board.Busy(i.String(), i.opt.Clock.Now().Mono)
	key, request, err := i.own()
	if err != nil {
		i.say(Status{State: "no key: " + err.Error()}, codeKey, health.Failure)
		return
	}
	s := Status{Request: string(request)}
	if s.Fingerprint, err = Fingerprint(key.Public()); err != nil {
		i.say(Status{State: err.Error()}, codeKey, health.Failure)
		return
	}
	chain, err := i.chain(key)
	switch {
	case errors.Is(err, errWaiting):
		s.State = err.Error()
		i.say(s, codeWaiting, health.Warning)
		return
	case err != nil:
		s.State = err.Error()
		i.say(s, codeRefused, health.Failure)
		return
	}
	own, now := chain[0], i.opt.Clock.Now().Wall
	s.Since = own.NotBefore
	until := own.NotAfter.UTC().Format(time.DateOnly)
	switch life := own.NotAfter.Sub(own.NotBefore); {
	case now.After(own.NotAfter):
		s.State = "its certificate has ended on " + until + ": sign a new one"
		i.say(s, codeEnds, health.Failure)
	case now.After(own.NotAfter.Add(-life / 3)):
		s.State = "its certificate ends on " + until + ": sign a new one"
		i.say(s, codeEnds, health.Warning)
	default:
		s.State = "enrolled until " + until
		i.say(s, "", 0)
	}
}

// own is what the gateway makes by itself: its key, and the request for it.
func (i *Identity) own() (crypto.Signer, []byte, error) {
	key, err := readKey(i.opt.Key)
	mine := strings.HasPrefix(i.opt.Key, strings.TrimSuffix(i.opt.Own, "/")+"/")
	switch {
	case err == nil:
	case !mine:
		return nil, nil, err
	case errors.Is(err, errDamaged): // nobody can mend it, and there is no shell to remove it by
		i.opt.Log.Error("key is damaged, a new one is made", "task", i.String(), "file", i.opt.Key, "aside", i.opt.Key+".damaged")
		if err := os.Rename(i.opt.Key, i.opt.Key+".damaged"); err != nil {
			return nil, nil, fmt.Errorf("put damaged key aside: %w", err)
		}
		fallthrough
	case errors.Is(err, fs.ErrNotExist):
		if key, err = makeKey(i.opt.Key); err != nil {
			return nil, nil, err
		}
	default:
		return nil, nil, err
	}
	request, err := i.request(key, mine)
	return key, request, err
}

// request is the one on disk if it is of this key and name; a signature of
// ECDSA is another each time, and every write is one on the ESP as well.
func (i *Identity) request(key crypto.Signer, write bool) ([]byte, error) {
	file := strings.TrimSuffix(i.opt.Key, filepath.Ext(i.opt.Key)) + ".csr"
	if text, err := os.ReadFile(file); err == nil {
		r, err := ParseRequest(text)
		if pub, ok := r.key.(public); err == nil && ok && pub.Equal(key.Public()) && r.Gateway == i.opt.Gateway {
			return text, nil
		}
	}
	text, err := newRequest(i.opt.Gateway, key)
	if err == nil && write {
		err = atomicfile.Write(file, text)
	}
	return text, err
}

// say notes where the enrolment stands; one log line for each change.
func (i *Identity) say(s Status, code string, severity health.Severity) {
	i.mu.Lock()
	was := i.status
	i.status = s
	i.mu.Unlock()
	for _, c := range []string{codeKey, codeWaiting, codeRefused, codeEnds} {
		if c != code {
			i.opt.Board.Clear(c)
		}
	}
	if code != "" {
		text := s.State
		if code == codeWaiting {
			text += "; the fingerprint of its key is " + s.Fingerprint
		}
		i.opt.Board.Set(health.Condition{Code: code, Severity: severity, Text: text, Since: i.opt.Clock.Now().Wall})
	}
	if s.State == was.State && s.Fingerprint == was.Fingerprint {
		return
	}
	level := slog.LevelInfo
	if severity == health.Failure {
		level = slog.LevelError
	}
	i.opt.Log.Log(context.Background(), level, "enrolment", "task", i.String(), "state", s.State, "fingerprint", s.Fingerprint)
}
