package nac

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// poster sends one request over a connection of its own, by HTTP/1.1 with the
// parts of net/http for that. Its Transport would bring pools, proxies of the
// environment, redirects and HTTP/2, none of which is wanted here, and half a
// megabyte on the gateway's flash.
type poster struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	tls  *tls.Config
}

// Bounds of one connection.
const (
	handshakeLimit = 5 * time.Second
	headerLimit    = 64 << 10 // bytes of a response's header
)

// do sends the request and reads the response, of its body a little. sent is set
// once the request may have reached somebody.
func (p poster) do(ctx context.Context, req *http.Request, sent *atomic.Bool) (status int, body []byte, err error) {
	port := req.URL.Port()
	if port == "" {
		port = "443"
	}
	raw, err := p.dial(ctx, "tcp", net.JoinHostPort(req.URL.Hostname(), port))
	if err != nil {
		return 0, nil, err
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	conf := p.tls.Clone()
	conf.ServerName = req.URL.Hostname()
	conn := tls.Client(raw, conf)
	shake, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	if err := conn.HandshakeContext(shake); err != nil {
		return 0, nil, because(ctx, err)
	}
	req.Close = true
	sent.Store(true)
	if err := req.Write(conn); err != nil {
		return 0, nil, because(ctx, err)
	}
	from := bufio.NewReader(io.LimitReader(conn, headerLimit+webResponse))
	resp, err := http.ReadResponse(from, req)
	for err == nil && resp.StatusCode/100 == 1 { // in the meantime (RFC 9110 §15.2); there is no body
		resp, err = http.ReadResponse(from, req)
	}
	if err != nil {
		if strings.Contains(err.Error(), "malformed") { // it would quote them
			err = errors.New("the answer is no HTTP/1.1")
		}
		return 0, nil, because(ctx, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, webResponse))
	if err != nil { // the status says it all
		body = nil
	}
	return resp.StatusCode, body, nil
}

// because is the reason of ctx, where that ended the connection.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
