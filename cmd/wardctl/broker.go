package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

const brokerUsage = `      at the broker of the site, by push, cmd, watch and state:
      --broker mqtts://HOST:PORT  --ca CA.pem  --cert FILE --key FILE: who you are
      --site NAME   --json: the result as JSON lines
`

// answerLimit is how long the broker may take to answer.
const answerLimit = 10 * time.Second

// link is the way to a site's broker, and how to tell what comes from there.
type link struct {
	broker, ca, cert, key, site string
	json                        bool
}

// linkFlags are the flags of every command that goes to the broker.
func linkFlags(name, usage string, stderr io.Writer) (*flag.FlagSet, *link) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, "usage:\n"+usage+brokerUsage) }
	l := new(link)
	for name, to := range map[string]*string{"broker": &l.broker, "ca": &l.ca, "cert": &l.cert, "key": &l.key, "site": &l.site} {
		fs.StringVar(to, name, "", "")
	}
	fs.BoolVar(&l.json, "json", false, "")
	return fs, l
}

// lacks names what nobody said: where to go, as whom, or another word that a
// command needs; "" for nothing.
func (l *link) lacks(word string, said bool) string {
	switch {
	case l.broker == "":
		return "--broker"
	case l.cert == "" && l.key != "":
		return "--cert"
	case l.cert != "" && l.key == "":
		return "--key"
	case !said:
		return word
	}
	return ""
}

// refuse says what is missing, if anything is, and how it is said.
func refuse(fs *flag.FlagSet, missing string) error {
	if missing != "" {
		fmt.Fprintf(fs.Output(), "wardctl %s: %s is missing\n", fs.Name(), missing)
	}
	fs.Usage()
	return errUsage
}

// base is where the topics of the site begin.
func (l *link) base() string { return "wardkeeper/v1/" + l.site + "/" }

// channel is a session with the broker.
type channel struct {
	broker  string
	session uplink.Session
	in      chan uplink.Message
	end     context.CancelFunc
}

// open connects as the agent does: nothing is remembered, nothing is repeated.
func (l *link) open(ctx context.Context) (*channel, error) {
	u, err := url.Parse(l.broker)
	if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return nil, fmt.Errorf("--broker %q: want mqtts://HOST:PORT", l.broker)
	}
	for _, c := range "/+#\x00" {
		if strings.ContainsRune(l.site, c) {
			return nil, fmt.Errorf("--site %q: want one level of a topic", l.site)
		}
	}
	b := uplink.Broker{URL: u, CA: l.ca, Now: time.Now}
	id := make([]byte, 6)
	rand.Read(id)
	b.ClientID = "wardctl-" + hex.EncodeToString(id) // the broker may take the certificate's name instead
	if l.cert != "" {
		pair, err := tls.LoadX509KeyPair(l.cert, l.key)
		if err != nil {
			return nil, fmt.Errorf("--cert %s --key %s: %w", l.cert, l.key, err)
		}
		b.Certificate = func() (tls.Certificate, error) { return pair, nil }
	}
	ctx, end := context.WithCancel(ctx)
	c := &channel{broker: b.String(), in: make(chan uplink.Message, 1024), end: end}
	c.session, err = b.Connect(ctx, uplink.Message{}, func(m uplink.Message) {
		select {
		case c.in <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		end()
		return nil, fmt.Errorf("broker %s: %w", c.broker, err)
	}
	return c, nil
}

func (c *channel) close() {
	c.end()
	c.session.Close(true)
}

// settle waits for what becomes of something that was sent.
func (c *channel) settle(ctx context.Context, r uplink.Receipt) error {
	select {
	case <-r.Done():
		return r.Err()
	case <-c.session.Lost():
		return c.lost()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(answerLimit):
		return errors.New("no answer")
	}
}

// lost says why the session is over.
func (c *channel) lost() error {
	return fmt.Errorf("broker %s ended the session (it may refuse what was sent, or another program has come with this certificate): %w", c.broker, c.session.Err())
}

func (c *channel) subscribe(ctx context.Context, filters ...string) error {
	for _, f := range filters {
		if err := c.settle(ctx, c.session.Subscribe(f)); err != nil {
			return fmt.Errorf("broker %s: subscribe to %s: %w", c.broker, f, err)
		}
	}
	return nil
}

func (c *channel) publish(ctx context.Context, m uplink.Message) error {
	if err := c.settle(ctx, c.session.Publish(m)); err != nil {
		return fmt.Errorf("broker %s: publish to %s: %w", c.broker, m.Topic, err)
	}
	return nil
}
