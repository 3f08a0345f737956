package nac

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

func request() Request {
	return Request{ID: "cmd-1.1.h", Device: "local:02:00:00:00:00:01", MAC: fact.MAC{2, 0, 0, 0, 0, 1}, Port: "w1", Code: "ransomware", Left: 90*time.Minute + time.Millisecond}
}

func put(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// far is a web server that answers with the next of its statuses, the last for
// ever, and keeps what it was asked.
type far struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	asked    []*http.Request
	bodies   []string
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, _ := io.ReadAll(r.Body)
	f.asked, f.bodies = append(f.asked, r), append(f.bodies, string(b))
	status := f.statuses[0]
	if len(f.statuses) > 1 {
		f.statuses = f.statuses[1:]
	}
	switch status {
	case 0: // it takes the request and dies
		panic(http.ErrAbortHandler)
	case 201: // it says twice that there is more to come
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusEarlyHints)
	case 302:
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
	io.WriteString(w, "said\nso"+strings.Repeat("!", 1<<20))
}

// webhookTo starts the server and makes a hook that trusts its certificate.
func webhookTo(t *testing.T, limit time.Duration, statuses ...int) (*far, Hook) {
	t.Helper()
	f := &far{statuses: statuses}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = nobodyLogs()
	f.StartTLS()
	t.Cleanup(f.Close)
	ca := put(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})))
	h, err := NewHook(Spec{Name: "h", Kind: KindWebhook, URL: f.URL + "/nac", CA: ca, Secret: put(t, "secret", "s3cret\n"), Limit: limit, Reach: ReachDevice},
		Means{Clock: clock.New(fake.New().Host().Clock, time.Unix(0, 0))})
	if err != nil {
		t.Fatal(err)
	}
	return f, h
}

func TestWebhook(t *testing.T) {
	said := "said so" + strings.Repeat("!", 113)
	for _, tt := range []struct {
		name     string
		statuses []int
		want     Outcome
		text     string
		asked    int
	}{
		{"taken", []int{204}, Done, "HTTP 204", 1},
		{"taken with words", []int{200}, Done, "HTTP 200", 1},
		{"taken at the third try", []int{503, 429, 200}, Done, "HTTP 200", 3},
		{"the connection dies, then taken", []int{0, 200}, Done, "HTTP 200", 2},
		{"refused", []int{403}, Refused, "HTTP 403", 1},
		{"taken, with hints before", []int{201}, Done, "HTTP 201", 1},
		{"a redirect is not followed", []int{302}, Refused, "HTTP 302", 1},
		{"broken all the time", []int{500}, Unsure, "HTTP 500", webTries},
		{"the connection dies, then refused: the first may have been taken", []int{0, 409}, Unsure, "HTTP 409", 2},
		{"broken, then refused", []int{500, 403}, Unsure, "HTTP 403", 2},
		{"told to wait, then refused", []int{429, 403}, Refused, "HTTP 403", 2},
		{"told to wait all the time", []int{429}, Refused, "HTTP 429", webTries},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, h := webhookTo(t, 20*time.Second, tt.statuses...)
			heard := said
			if tt.statuses[0] == 204 {
				heard = ""
			}
			if diff := cmp.Diff(Result{Outcome: tt.want, Text: tt.text, Said: heard}, h.Apply(t.Context(), request())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(f.asked) != tt.asked {
				t.Errorf("asked %d times, want %d", len(f.asked), tt.asked)
			}
		})
	}
}

// The request is a contract with every receiver: its bytes are pinned, and they
// say a MAC, an id and a code of the device and nothing else.
func TestWebhookRequest(t *testing.T) {
	f, h := webhookTo(t, 10*time.Second, 200)
	h.Apply(t.Context(), request())
	h.Undo(t.Context(), request())
	want := []string{
		`{"v":1,"action":"apply","id":"cmd-1.1.h","device":"local:02:00:00:00:00:01","mac":"02:00:00:00:00:01","code":"ransomware","seconds":5400}`,
		`{"v":1,"action":"undo","id":"cmd-1.1.h","device":"local:02:00:00:00:00:01","mac":"02:00:00:00:00:01","code":"ransomware"}`,
	}
	if diff := cmp.Diff(want, f.bodies); diff != "" {
		t.Fatalf("bodies (-want +got):\n%s", diff)
	}
	for i, key := range []string{"cmd-1.1.h-apply", "cmd-1.1.h-undo"} {
		r := f.asked[i]
		mac := hmac.New(sha256.New, []byte("s3cret"))
		io.WriteString(mac, r.Header.Get("Wardkeeper-Timestamp")+"."+f.bodies[i])
		got := []string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), r.Header.Get("Wardkeeper-Signature")}
		if diff := cmp.Diff([]string{"POST", "/nac", "application/json", key, "v1=" + hex.EncodeToString(mac.Sum(nil))}, got); diff != "" {
			t.Errorf("request %d (-want +got):\n%s", i, diff)
		}
	}
}

// Nobody has seen a request that found no server, or one that cannot show that
// it is the right one.
func TestWebhookReachesNobody(t *testing.T) {
	t.Run("another certificate", func(t *testing.T) {
		t.Parallel()
		f, h := webhookTo(t, 20*time.Second, 200)
		h.(*webhook).post.tls.RootCAs = x509.NewCertPool() // whom the server's is not of
		got := h.Apply(t.Context(), request())
		if got.Outcome != Refused || !strings.Contains(got.Text, "certificate") {
			t.Errorf("%v %s, want refused for its certificate", got.Outcome, got.Text)
		}
		if len(f.asked) > 0 {
			t.Error("it was asked all the same")
		}
	})
	t.Run("no server", func(t *testing.T) {
		t.Parallel()
		f, h := webhookTo(t, 20*time.Second, 200)
		f.Close()
		if got := h.Apply(t.Context(), request()); got.Outcome != Refused {
			t.Errorf("%v %s, want refused", got.Outcome, got.Text)
		}
	})
	t.Run("a server that is silent", func(t *testing.T) {
		t.Parallel()
		block := make(chan struct{})
		f := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
		defer f.Close()
		defer close(block)
		ca := put(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})))
		h, err := NewHook(Spec{Kind: KindWebhook, URL: f.URL, CA: ca, Secret: put(t, "secret", "s"), Limit: 300 * time.Millisecond}, Means{Clock: clock.New(fake.New().Host().Clock, time.Unix(0, 0))})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if got := h.Apply(t.Context(), request()); got.Outcome != Unsure || time.Since(begin) > 5*time.Second {
			t.Errorf("%v %s after %s, want unsure at the limit", got.Outcome, got.Text, time.Since(begin))
		}
	})
}

// The gateway's clock judges certificates: it never goes before the time that the
// agent was built, whatever the box says after a power cut.
func TestWebhookGoesByTheGatewaysClock(t *testing.T) {
	_, h := webhookTo(t, 5*time.Second, 204)
	host := fake.New()
	for year, want := range map[int]Outcome{2026: Done, 2100: Refused} { // httptest's certificate ends in 2084
		at := clock.New(host.Host().Clock, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		w := h.(*webhook)
		conf := w.post.tls.Clone()
		made, err := newHook(Spec{Name: "h", Kind: KindWebhook, URL: w.url, Secret: put(t, "secret", "s")}, Means{Clock: at})
		if err != nil {
			t.Fatal(err)
		}
		conf.Time = made.(*webhook).post.tls.Time
		w.post.tls = conf
		host.Clock.Set(time.Unix(5, 0))
		if got := w.Apply(t.Context(), request()); got.Outcome != want {
			t.Errorf("in %d: %+v, want %s", year, got, want)
		}
	}
}
