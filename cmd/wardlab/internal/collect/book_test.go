package collect

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

func line(class, kind string, seq int, body string) string {
	return fmt.Sprintf(`{"v":1,"site":"s","gw":"g","epoch":"e1","class":%q,"seq":%d,"kind":%q,"body":%s}`+"\n", class, seq, kind, body)
}

func compress(t *testing.T, s string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(s), nil)
}

func TestBook(t *testing.T) {
	b := NewBook(map[string]string{"family name": "Quill"})
	b.Add("wardkeeper/v1/s/g/state", []byte(`{"v":1,"online":true,"epoch":"e1","seq":{"alert":3,"state":9}}`))
	b.Add("wardkeeper/v1/s/g/up/alert", []byte(line("alert", "alert", 1, `{}`)+line("alert", "deny", 3, `{"device":"d","peer":"p","service":"tcp/23","verdict":"denied","samples":4}`)))
	b.Add("wardkeeper/v1/s/g/up/alert", compress(t, line("alert", "alert", 1, `{}`)))
	b.Add("wardkeeper/v1/s/g/up/inventory", compress(t, line("state", "inventory", 4, `{"device":"d","mac":"00:00:5e:00:53:01","identity":{"role":"printer","confidence":"likely"}}`)))
	b.Add("wardkeeper/v1/s/g/up/health", []byte(line("state", "health", 5, `{"counters":{"rules.dropped":7}}`)))
	// what goes to gateways, and answers, are no events; secrets are looked for all the same
	b.Add("wardkeeper/v1/s/g/up/cmd/c1", []byte(`{"v":1,"id":"c1","state":"succeeded"}`))
	b.Add("wardkeeper/v1/s/all/down/desired/policy", []byte(`{"payload":""}`))
	b.Add("wardkeeper/v1/s/all/down/desired/policy", nil)

	if !b.Online() {
		t.Error("not online")
	}
	want := []Account{
		{Class: "alert", Epoch: "e1", Received: 2, Lowest: 1, Last: 3, Holes: 1, First: []uint64{2}},
		{Class: "state", Epoch: "e1", Received: 2, Lowest: 4, Last: 9},
	}
	if diff := cmp.Diff(want, b.Accounts()); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if b.Complete() {
		t.Error("complete with a hole")
	}
	if b.Twice() != 1 {
		t.Errorf("%d twice, want 1", b.Twice())
	}
	if diff := cmp.Diff([]Deny{{Device: "d", Peer: "p", Service: "tcp/23", Verdict: "denied"}}, b.Denies()); diff != "" {
		t.Errorf("denies (-want +got):\n%s", diff)
	}
	if d := b.Devices(); len(d) != 1 || d[0].Identity.Role != "printer" || d[0].MAC != "00:00:5e:00:53:01" {
		t.Errorf("devices %+v", d)
	}
	if c := b.Counters(); c["rules.dropped"] != 7 {
		t.Errorf("counters %v", c)
	}
	if faults, leaked := b.Faults(); len(faults) != 0 || len(leaked) != 0 {
		t.Errorf("faults %v, leaked %v", faults, leaked)
	}
	b.Add("wardkeeper/v1/s/g/up/alert", []byte(line("alert", "alert", 2, `{"text":"quill"}`)))
	if !b.Complete() {
		t.Error("not complete without a hole")
	}
	if _, leaked := b.Faults(); !cmp.Equal(leaked, []string{"family name on wardkeeper/v1/s/g/up/alert"}) {
		t.Errorf("leaked %v", leaked)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"no json", "x\n", "event 1 of a batch: invalid character 'x' looking for beginning of value"},
		{"no seq", line("alert", "deny", 1, `{}`) + line("alert", "deny", 0, `{}`), `event 2 of a batch: envelope v 1, class "alert", kind "deny", seq 0`},
		{"bad zstd", "\x28\xB5\x2F\xFD", "unpack batch: unexpected EOF"},
	} {
		if _, err := Decode([]byte(tt.in)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestBrokerAndSubscriber(t *testing.T) {
	book := NewBook(nil)
	b, err := Open(netip.MustParseAddr("127.0.0.1"), "s", book)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	changed := book.Changed()
	token := b.client.Publish("wardkeeper/v1/s/g/state", 1, true, `{"v":1,"online":true}`)
	token.Wait()
	if err := token.Error(); err != nil {
		t.Fatal(err)
	}
	<-changed
	if !book.Online() {
		t.Error("the subscriber did not get the message")
	}
	if n := b.Dropped(); n != 0 {
		t.Errorf("%d dropped", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(line("alert", "deny", 1, `{"device":"d"}`)))
	f.Add([]byte("\x28\xB5\x2F\xFD"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		book := NewBook(nil)
		book.Add("wardkeeper/v1/s/g/up/alert", b)
		book.Add("wardkeeper/v1/s/g/state", b)
		book.Accounts()
	})
}
