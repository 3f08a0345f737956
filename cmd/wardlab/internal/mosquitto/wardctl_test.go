package mosquitto

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

// writePair puts a certificate and its key where a program reads them.
func (s *site) writePair(name string, pair tls.Certificate) (cert, key string) {
	s.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))
	s.write(name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return filepath.Join(s.dir, name+".pem"), filepath.Join(s.dir, name+".key")
}

// TestOperator: wardctl, with an operator's certificate, brings a gateway at a
// real broker what is signed, and hears what it says. With the certificate of
// another gateway, or the collector's, it brings nothing.
func TestOperator(t *testing.T) {
	s := newSite(t)
	bin := filepath.Join(t.TempDir(), "wardctl")
	if out, err := exec.Command("go", "build", "-o", bin, "../../../wardctl").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	wardctl := func(args ...string) (out, errs string, code int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, bin, args...)
		cmd.Dir = s.dir
		var o, e bytes.Buffer
		cmd.Stdout, cmd.Stderr = &o, &e
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return o.String(), e.String(), cmd.ProcessState.ExitCode()
	}
	must := func(args ...string) string {
		t.Helper()
		out, errs, code := wardctl(args...)
		if code != 0 {
			t.Fatalf("wardctl %s: exit %d: %s", args, code, errs)
		}
		return out
	}
	as := func(name string, pair tls.Certificate) []string {
		cert, key := s.writePair(name, pair)
		return []string{"--broker", fmt.Sprintf("mqtts://127.0.0.1:%d", s.port), "--ca", filepath.Join(s.dir, "ca.pem"), "--cert", cert, "--key", key}
	}
	anna := as("op-anna", s.person("op:anna"))
	s.write("root.toml", []byte("site = \"st-mary\"\n[[key]]\nname = \"anna\"\nfile = \"anna.key.pub\"\nroles = [\"root\", \"policy\", \"command\"]\n"))
	s.write("policy.toml", []byte("version = 3\n"))
	must("keys", "new", "-o", "anna.key")
	must("keys", "root", "root.toml", "--key", "anna.key", "-o", "root.dsse")
	must("sign", "policy", "--file", "policy.toml", "--root", "root.dsse", "--key", "anna.key", "--to", "all", "-o", "policy.dsse")
	must("sign", "command", "ping", "--root", "root.dsse", "--key", "anna.key", "--to", "gw-a", "-o", "ping.dsse", "--json")
	var ping struct {
		Statement struct{ ID string }
	}
	if err := json.Unmarshal([]byte(must("sign", "show", "ping.dsse", "--root", "root.dsse", "--json")), &ping); err != nil {
		t.Fatal(err)
	}

	// kept for a gateway that is not there yet
	must(append([]string{"push", "policy.dsse", "--root", "root.dsse"}, anna...)...)

	const base = "wardkeeper/v1/st-mary/"
	var heard list
	pair := s.enrolled("gw-a")
	session, err := s.hearing("gw-a", func() (tls.Certificate, error) { return pair, nil }, func(m uplink.Message) {
		heard.add(fmt.Sprint(m.Topic, " retained ", m.Retained))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(true)
	sent := func(r uplink.Receipt) {
		t.Helper()
		select {
		case <-r.Done():
		case <-time.After(answerLimit):
			t.Fatal("no answer")
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"gw-a", "all"} {
		sent(session.Subscribe(base + who + "/down/#"))
	}
	sent(session.Publish(uplink.Message{Topic: base + "gw-a/state", Retained: true, Payload: []byte(`{"v":1,"site":"st-mary","gw":"gw-a","online":true,"version":"1.2"}`)}))
	until(t, "the policy", func() bool { return slices.Contains(heard.all(), base+"all/down/desired/policy retained true") })

	// nobody else brings anything, whatever the broker acknowledges
	strangers := map[string]tls.Certificate{"gw-b": s.enrolled("gw-b"), "collector": s.collector()}
	for name, cert := range strangers {
		if out, _, code := wardctl(append([]string{"cmd", "ping.dsse", "--timeout", "1s"}, as(name, cert)...)...); code == 0 {
			t.Errorf("%s: a command succeeded: %s", name, out)
		}
		wardctl(append([]string{"push", "policy.dsse"}, as(name, cert)...)...)
	}
	if got := heard.all(); len(got) != 1 {
		t.Errorf("brought by strangers: %q", got[1:])
	}

	// the operator does, and hears the answer
	go func() {
		for !slices.Contains(heard.all(), base+"gw-a/down/cmd/"+ping.Statement.ID+" retained false") {
			time.Sleep(10 * time.Millisecond)
			if t.Context().Err() != nil {
				return
			}
		}
		session.Publish(uplink.Message{Topic: base + "gw-a/up/cmd/" + ping.Statement.ID, Payload: []byte(`{"v":1,"id":"` + ping.Statement.ID + `","state":"succeeded","time":"","boot_id":"b"}`)})
	}()
	if out := must(append([]string{"cmd", "ping.dsse"}, anna...)...); out != "gw-a  succeeded\n" {
		t.Errorf("cmd: %q", out)
	}
	if out := must(append([]string{"state", "--site", "st-mary"}, anna...)...); !strings.Contains(out, "\ngw-a     there  -        -      1.2 ") {
		t.Errorf("state:\n%s", out)
	}
	if _, errs, code := wardctl(append([]string{"state", "--site", "st-mary"}, "--broker", fmt.Sprintf("mqtts://127.0.0.1:%d", s.port), "--ca", filepath.Join(s.dir, "ca.pem"))...); code != 1 || !strings.Contains(errs, "connect: ") {
		t.Errorf("without a certificate: exit %d: %s", code, errs)
	}
}
