package enrol

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/atomicfile"
	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// box is a gateway's files, and its identity in the time of a synctest bubble.
type box struct {
	t     *testing.T
	dir   string
	clock *fake.Clock
	board *health.Board
	log   bytes.Buffer
	id    *Identity
	end   func()
}

func inBox(t *testing.T, test func(b *box)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := &box{t: t, dir: dir, clock: fake.New().Clock}
		test(b)
		if b.end != nil {
			b.end()
		}
	})
}

func (b *box) file(name string) string { return filepath.Join(b.dir, "data", name) }

func (b *box) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(b.file(name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *box) write(name string, text []byte) {
	b.t.Helper()
	if err := atomicfile.Write(b.file(name), text); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) start() {
	b.board = &health.Board{}
	b.id = New(Options{Gateway: "gw1", CA: b.file("etc/pki/ca.pem"), Cert: b.file("etc/pki/gateway.pem"), Key: b.file("pki/gateway.key"), Own: b.file(""),
		Clock: clock.New(b.clock, time.Time{}), Board: b.board, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error)
	go func() { done <- b.id.Run(ctx) }()
	<-b.id.Ready()
	b.end = func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

// conditions are the codes that are up.
func (b *box) conditions() (out []string) {
	for _, c := range b.board.Conditions() {
		out = append(out, c.Code)
	}
	return out
}

func (b *box) want(codes ...string) {
	b.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(codes, b.conditions()); diff != "" {
		b.t.Errorf("conditions (-want +got):\n%s%+v", diff, b.board.Conditions())
	}
}

// TestEnrolment is the whole way: a first start, a person who signs, and the
// certificate that comes while the agent runs.
func TestEnrolment(t *testing.T) {
	inBox(t, func(b *box) {
		ca, caPEM := site(t, time.Now().Add(-year))
		b.write("etc/pki/ca.pem", caPEM)
		b.start()
		b.want("enrol.waiting")
		if st, err := os.Stat(b.file("pki/gateway.key")); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("key: %v, %v; want mode 0600", st, err)
		}
		s := b.id.Status()
		text := b.read("pki/gateway.csr")
		if s.Request != text || s.State != "waiting for its certificate" {
			t.Errorf("status %+v, request on disk:\n%s", s, text)
		}
		if c := b.board.Conditions()[0]; !strings.HasSuffix(c.Text, "fingerprint of its key is "+s.Fingerprint) {
			t.Errorf("condition %+v does not show fingerprint %s", c, s.Fingerprint)
		}
		if _, err := b.id.Certificate(); err == nil || err.Error() != "waiting for its certificate" {
			t.Errorf("certificate: %v", err)
		}
		r, err := ParseRequest([]byte(text))
		if err != nil || r.Gateway != "gw1" || r.Fingerprint != s.Fingerprint {
			t.Fatalf("request %+v, %v; want gw1, %s", r, err, s.Fingerprint)
		}

		b.end()
		b.start() // nothing is made again: the fingerprint has been read out by then
		b.want("enrol.waiting")
		if again := b.id.Status(); again != s || b.read("pki/gateway.csr") != text {
			t.Errorf("after a new start %+v, before %+v", again, s)
		}

		cert, until, err := ca.Approve(r, time.Now(), 3*year)
		if err != nil {
			t.Fatal(err)
		}
		b.write("etc/pki/gateway.pem", cert)
		pair, err := b.id.Certificate() // before the next look, even
		if err != nil || pair.Leaf.Subject.CommonName != "gw1" || pair.PrivateKey == nil {
			t.Fatalf("certificate: %+v, %v", pair.Leaf, err)
		}
		time.Sleep(lookEvery)
		b.want()
		if s := b.id.Status(); s.State != "enrolled until "+until.Format(time.DateOnly) || s.Since.After(time.Now()) || s.Since.IsZero() {
			t.Errorf("status %+v", s)
		}
		// a box that wakes up in 1970 has not lost its certificate
		b.clock.Set(time.Unix(0, 0))
		time.Sleep(lookEvery)
		b.want()

		for _, tt := range []struct {
			at    time.Time
			state string
			code  string
		}{
			{until.Add(-year + 2*time.Hour), "its certificate ends on ", "warning"},
			{until.Add(time.Hour), "its certificate has ended on ", "failure"},
		} {
			b.clock.Set(tt.at)
			time.Sleep(lookEvery)
			b.want("enrol.ends")
			if c := b.board.Conditions()[0]; !strings.HasPrefix(c.Text, tt.state) || c.Severity.String() != tt.code {
				t.Errorf("at %v: %+v, want %s %s…", tt.at, c, tt.code, tt.state)
			}
			if _, err := b.id.Certificate(); err != nil { // the broker judges, by its better clock
				t.Errorf("at %v: %v", tt.at, err)
			}
		}
		if n := strings.Count(b.log.String(), "\n"); n != 5 {
			t.Errorf("%d log lines, want one a change and start:\n%s", n, b.log.String())
		}
	})
}

// TestRefusesCertificate: what does not belong to key, name and CA is not used,
// and is told from what is missing.
func TestRefusesCertificate(t *testing.T) {
	inBox(t, func(b *box) {
		ca, caPEM := site(t, time.Now().Add(-year))
		foreign, _ := site(t, time.Now().Add(-year))
		b.write("etc/pki/ca.pem", caPEM)
		b.start()
		b.want("enrol.waiting")
		own, err := ParseRequest([]byte(b.id.Status().Request))
		if err != nil {
			t.Fatal(err)
		}
		sign := func(a Authority, r Request) []byte {
			cert, _, err := a.Approve(r, time.Now(), year)
			if err != nil {
				t.Fatal(err)
			}
			return cert
		}
		key := b.read("pki/gateway.key")
		signer, err := parseKey([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		good := sign(ca, own)
		for _, tt := range []struct {
			name string
			cert []byte
			want string
		}{
			{"of another box", sign(ca, request(t, "gw1", newKey(t))), "it is for another key: sign this gateway's own request"},
			{"of another name", sign(ca, Request{Gateway: "gw2", key: own.key}), `it is for "gw2", this gateway is "gw1"`},
			{"of another CA", sign(foreign, own), "it is not of this site's CA for clients: x509: certificate signed by unknown authority"},
			{"signed by itself", selfSigned(t, x509.Certificate{Subject: pkix.Name{CommonName: "gw1"}, NotBefore: time.Now(), NotAfter: time.Now().Add(year)}, signer), "it is not of this site's CA"},
			{"no certificate", []byte(key), "no certificate in it"},
			{"cut off", good[:len(good)/2], "no certificate in it"},
		} {
			b.write("etc/pki/gateway.pem", tt.cert)
			time.Sleep(lookEvery)
			b.want("enrol.refused")
			if c := b.board.Conditions()[0]; !strings.Contains(c.Text, tt.want) || !strings.Contains(c.Text, b.file("etc/pki/gateway.pem")) {
				t.Errorf("%s: %s, want %s", tt.name, c.Text, tt.want)
			}
			if _, err := b.id.Certificate(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: used, or %v", tt.name, err)
			}
		}
		b.write("etc/pki/gateway.pem", good)
		time.Sleep(lookEvery)
		b.want()
		b.write("etc/pki/ca.pem", []byte("-"))
		time.Sleep(lookEvery)
		b.want("enrol.refused")
	})
}

func TestKeyThatCannotBeHad(t *testing.T) {
	t.Run("damaged", func(t *testing.T) {
		inBox(t, func(b *box) {
			b.write("pki/gateway.key", []byte("x"))
			b.write("pki/gateway.csr", []byte("x"))
			b.start()
			b.want("enrol.waiting")
			if s := b.id.Status(); s.Request != b.read("pki/gateway.csr") || b.read("pki/gateway.key.damaged") != "x" {
				t.Errorf("%+v", s)
			}
		})
	})
	t.Run("encrypted by a person", func(t *testing.T) {
		inBox(t, func(b *box) {
			const sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
			b.write("pki/gateway.key", []byte(sealed))
			b.start()
			b.want("enrol.key")
			if b.read("pki/gateway.key") != sealed {
				t.Error("a person's key was replaced")
			}
		})
	})
	t.Run("no room for it", func(t *testing.T) {
		inBox(t, func(b *box) {
			b.write("pki", []byte("a file where a folder should be"))
			b.start()
			b.want("enrol.key")
			if err := os.Remove(b.file("pki")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lookEvery)
			b.want("enrol.waiting")
		})
	})
	t.Run("missing elsewhere", func(t *testing.T) {
		inBox(t, func(b *box) {
			b.start()
			b.end()
			b.id.opt.Own = b.file("pki2") // "pki" is its beginning, not its folder
			if err := os.Remove(b.file("pki/gateway.key")); err != nil {
				t.Fatal(err)
			}
			b.id.look()
			b.want("enrol.key")
			b.end = nil
		})
	})
}
