package sim

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// HL7Server accepts reports and acknowledges each, until ctx ends.
func (s *Stage) HL7Server(ctx context.Context) error {
	l, err := s.host(cast.PumpServer).Listen(ctx, hl7Port)
	if err != nil {
		return err
	}
	return serve(ctx, l, func(c net.Conn) {
		// A report may come in any number of segments, and several in one.
		var buf []byte
		b := make([]byte, 4096)
		for len(buf) <= messageLimit {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			buf = append(buf, b[:n]...)
			for {
				msg, rest, ok, err := wire.CutMLLP(buf)
				if err != nil {
					return
				}
				if !ok {
					break
				}
				buf = rest
				ack, err := wire.Ack(msg, hl7Time())
				if err != nil {
					return
				}
				if _, err := c.Write(wire.MLLP(ack)); err != nil {
					return
				}
			}
		}
	})
}

// TLSServer is the drug library, until ctx ends.
func (s *Stage) TLSServer(ctx context.Context) error {
	host := s.host(cast.PumpServer)
	cert, err := certificate(host.Name + "." + s.Ward.Cast.Domain)
	if err != nil {
		return err
	}
	l, err := host.Listen(ctx, tlsPort)
	if err != nil {
		return err
	}
	// Only HTTP/1.1 is offered: what a device of this age speaks.
	config := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
	return serve(ctx, l, func(c net.Conn) {
		c.SetDeadline(time.Now().Add(5 * time.Second))
		t := tls.Server(c, config)
		defer t.Close()
		if _, err := http.ReadRequest(bufio.NewReader(t)); err == nil {
			fmt.Fprintf(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n2024.11.3")
		}
	})
}

// certificate is a self-signed one for name, good for a day.
func certificate(name string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key of %s: %w", name, err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate of %s: %w", name, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Doors keeps service ports of a device open which nobody should reach: telnet
// and SMB that a manufacturer left on. What answers there shows that a silence
// under the policy is the policy's.
func (s *Stage) Doors(ctx context.Context, p cast.Part, ports ...uint16) error {
	errs := make(chan error, len(ports))
	for _, port := range ports {
		l, err := s.host(p).Listen(ctx, port)
		if err != nil {
			return err
		}
		// Accept, take what comes, say nothing: a banner would only give the
		// classifier what no device of the ward should need.
		go func() {
			errs <- serve(ctx, l, func(c net.Conn) { c.SetDeadline(time.Now().Add(time.Second)); c.Read(make([]byte, 64)) })
		}()
	}
	var err error
	for range ports {
		err = errors.Join(err, <-errs)
	}
	return err
}
