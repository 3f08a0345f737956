package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

// open lets everyone in; of a topic that has "forbidden" in it nobody hears.
type open struct{ mochi.HookBase }

func (open) ID() string                                               { return "open" }
func (open) Provides(b byte) bool                                     { return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck }
func (open) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (open) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	return write || !strings.Contains(topic, "forbidden")
}

func startBroker() (*mochi.Server, string, error) {
	srv := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := srv.AddHook(new(open), nil); err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	if err := srv.AddListener(listeners.NewNet("t", l)); err != nil {
		return nil, "", err
	}
	return srv, "mqtt://" + l.Addr().String(), srv.Serve()
}

// gateway is at the broker of site st-mary what wardctl meets there. Each word
// of does is a state that it answers with.
type gateway struct {
	name     string
	does     []string
	session  uplink.Session
	in       chan uplink.Message
	done     sync.WaitGroup
	retained atomic.Value // kind of the last statement that the broker had kept
}

func newGateway(broker, name string, does ...string) (*gateway, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return nil, err
	}
	g := &gateway{name: name, does: does, in: make(chan uplink.Message, 16)}
	b := uplink.Broker{URL: u, ClientID: name, Now: time.Now}
	g.session, err = b.Connect(context.Background(), g.state(false), func(m uplink.Message) { g.in <- m })
	if err != nil {
		return nil, err
	}
	for _, who := range []string{name, "grp/icu", "all"} {
		if err := settle(g.session.Subscribe("wardkeeper/v1/st-mary/" + who + "/down/#")); err != nil {
			return nil, err
		}
	}
	g.done.Go(g.serve)
	return g, settle(g.session.Publish(g.state(true)))
}

func settle(r uplink.Receipt) error {
	<-r.Done()
	return r.Err()
}

func (g *gateway) topic(end string) string { return "wardkeeper/v1/st-mary/" + g.name + "/" + end }

func (g *gateway) state(online bool) uplink.Message {
	st := event.GatewayState{V: 1, Site: "st-mary", GW: g.name, Online: online}
	if online {
		st.Version, st.Generation, st.Time, st.TimeQuality = "1.2", 7, "2026-11-28T15:00:00.000Z", "ntp"
		st.Versions = map[string]uint64{"root": 1, "policy": 1795877066000}
	}
	b, _ := json.Marshal(st)
	return uplink.Message{Topic: g.topic("state"), Retained: true, Payload: b}
}

// serve answers.
func (g *gateway) serve() {
	for {
		select {
		case <-g.session.Lost():
			return
		case m := <-g.in:
			e, err := signed.Parse(m.Payload)
			if err != nil {
				continue
			}
			st, err := signed.ParseStatement(e.Payload)
			if err != nil {
				continue
			}
			if m.Retained {
				g.retained.Store(string(st.Kind))
			}
			for _, state := range g.does {
				a := answer{V: 1, ID: st.ID, State: state, Time: "2026-11-28T15:00:00.000Z", BootID: "b1"}
				switch state {
				case "rejected":
					a.Reason, a.Text = "wrong-role", "no signer\x1b[2J may sign this"
				case "succeeded":
					a.Result = json.RawMessage(fmt.Sprintf(`{"retained":%v,"kind":%q}`, m.Retained, st.Kind))
				}
				b, _ := json.Marshal(a)
				g.session.Publish(uplink.Message{Topic: g.topic("up/cmd/" + st.ID), Payload: b})
			}
		}
	}
}

// say publishes a file on a topic of the gateway.
func (g *gateway) say(end string, payload []byte) error {
	return settle(g.session.Publish(uplink.Message{Topic: g.topic(end), Payload: payload}))
}

// newSigners makes the root of a site, and the keys of two people.
func newSigners(dir string) error {
	in := func(name string) string { return filepath.Join(dir, name) }
	toml := "site = \"st-mary\"\n"
	for _, name := range []string{"anna", "berta"} {
		toml += fmt.Sprintf("[[key]]\nname = %q\nfile = %q\nroles = [\"root\", \"policy\", \"command\"]\n", name, name+".key.pub")
	}
	toml += "[threshold]\npolicy = 2\n"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(in("root.toml"), []byte(toml), 0o600)); err != nil {
		return err
	}
	for _, words := range [][]string{{"keys", "new", "-o", in("anna.key")}, {"keys", "new", "-o", in("berta.key")},
		{"keys", "root", in("root.toml"), "--key", in("anna.key"), "-o", in("root.dsse")}} {
		var errs strings.Builder
		if code := run(words, nil, io.Discard, &errs); code != 0 {
			return fmt.Errorf("wardctl %s: %s", words, errs.String())
		}
	}
	return nil
}

// TestBrokerScripts runs what goes to a broker. $BROKER is one. anna.key and
// berta.key sign for site st-mary, whose root is root.dsse: a command each alone,
// a policy together. trail.jsonl is the audit trail of gateway gw3.
func TestBrokerScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "broker"),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			srv, addr, err := startBroker()
			if err != nil {
				return err
			}
			e.Defer(func() { go srv.Close() }) // mochi 2.7.9 may wait for itself for ever
			e.Setenv("BROKER", addr)
			e.Values["broker"] = srv
			if err := newSigners(e.WorkDir); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "trail.jsonl"), []byte(strings.Join(newTrail(t, "gw3", 5), "\n")+"\n"), 0o600); err != nil {
				return err
			}
			gateways := make(map[string]*gateway)
			e.Values["gateways"] = gateways
			e.Defer(func() {
				for _, g := range gateways {
					g.session.Close(false)
					g.done.Wait()
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// gateway NAME [STATE…] connects one that answers with these states
			"gateway": func(ts *testscript.TestScript, _ bool, args []string) {
				g, err := newGateway(ts.Getenv("BROKER"), args[0], args[1:]...)
				ts.Check(err)
				ts.Value("gateways").(map[string]*gateway)[args[0]] = g
			},
			// cut NAME ends its session without a goodbye
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value("gateways").(map[string]*gateway)[args[0]].session.Close(false)
				time.Sleep(100 * time.Millisecond) // for the will
			},
			// say NAME TOPIC FILE publishes a file
			"say": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(ts.Value("gateways").(map[string]*gateway)[args[0]].say(args[1], []byte(ts.ReadFile(args[2]))))
			},
			// exits CODE PROGRAM ARG… wants that exit code
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				var exit *exec.ExitError
				if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
					ts.Fatalf("%v, want exit status %s", err, args[0])
				}
			},
			// told NAME KIND waits until the gateway has a statement that was retained
			"told": func(ts *testscript.TestScript, _ bool, args []string) {
				g := ts.Value("gateways").(map[string]*gateway)[args[0]]
				for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
					if kind, _ := g.retained.Load().(string); kind == args[1] {
						return
					}
					if time.Now().After(end) {
						ts.Fatalf("%s has no %s that was retained", args[0], args[1])
					}
				}
			},
			// heard NAME TOPIC N waits until so many listen to a topic of the gateway
			"heard": func(ts *testscript.TestScript, _ bool, args []string) {
				srv := ts.Value("broker").(*mochi.Server)
				for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
					n := len(srv.Topics.Subscribers("wardkeeper/v1/st-mary/" + args[0] + "/" + args[1]).Subscriptions)
					if strconv.Itoa(n) == args[2] {
						return
					}
					if time.Now().After(end) {
						ts.Fatalf("%d listen to %s of %s", n, args[1], args[0])
					}
				}
			},
		},
	})
}
