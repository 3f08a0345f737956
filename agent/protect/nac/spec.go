package nac

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// Kinds of hooks.
const (
	KindExec       = "exec"
	KindWebhook    = "webhook"
	KindDisconnect = "radius-disconnect"
)

// Spec is a hook as the configuration has it. Secrets are files, of which the
// last line end does not count.
type Spec struct {
	Name  string
	Kind  string
	Reach Reach         // "": ReachWard
	Limit time.Duration // of one call with all its tries

	Program []string // exec: the program by its absolute path, and its arguments

	URL    string // webhook: https://…
	CA     string // webhook: PEM file of who signs the server's certificate; "": the system's
	Secret string // webhook and radius-disconnect: file of the shared secret

	Server        string     // radius-disconnect: host:port of the NAS
	NASIdentifier string     // radius-disconnect, "" for none
	NASAddress    netip.Addr // radius-disconnect, not valid for none
}

// Means is what hooks need of the gateway.
type Means struct {
	Clock *clock.Clock
	// Dial is platform.Host's, for TCP; nil: as package net does it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Prompt is platform.Host's; nil: devices are not asked to authenticate again
	// when a RADIUS Disconnect-Request is undone.
	Prompt func(ctx context.Context, port string, mac [6]byte) error
}

// NewHook makes the hook. It reads the files that the spec names and reaches for
// nothing else; the error names the hook and the file.
func NewHook(s Spec, m Means) (Hook, error) {
	h, err := newHook(s, m)
	if err != nil {
		return nil, fmt.Errorf("hook %q: %w", s.Name, err)
	}
	return h, nil
}

func newHook(s Spec, m Means) (Hook, error) {
	if s.Reach == "" {
		s.Reach = ReachWard
	}
	own := common{name: s.Name, reach: s.Reach, limit: s.Limit}
	switch s.Kind {
	case KindExec:
		return &program{common: own, argv: s.Program}, nil
	case KindWebhook:
		secret, err := readSecret(s.Secret)
		if err != nil {
			return nil, err
		}
		conf, err := webTrust(s.CA)
		if err != nil {
			return nil, err
		}
		conf.Time = func() time.Time { return m.Clock.Now().Wall } // not 1970 on a box without a clock
		if m.Dial == nil {
			m.Dial = (&net.Dialer{}).DialContext
		}
		return &webhook{common: own, url: s.URL, secret: secret, post: poster{m.Dial, conf}, clock: m.Clock}, nil
	case KindDisconnect:
		secret, err := readSecret(s.Secret)
		if err != nil {
			return nil, err
		}
		return &disconnect{common: own, server: s.Server, secret: secret, identifier: s.NASIdentifier, address: s.NASAddress,
			clock: m.Clock, prompt: m.Prompt}, nil
	}
	return nil, fmt.Errorf("kind %q: want exec, webhook or radius-disconnect", s.Kind)
}

func readSecret(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return nil, fmt.Errorf("read secret: %s is empty", file)
	}
	return b, nil
}

// webTrust trusts who the file names, "" the system's, and goes nowhere else: a
// redirect would hand a signed request to somebody whom the configuration does
// not name, and proxies of the environment are not for this.
func webTrust(ca string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if ca == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read CA: no certificate in %s", ca)
	}
	return conf, nil
}
