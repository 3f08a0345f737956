package dissect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHTTP(t *testing.T) {
	request := HTTP{Kind: HTTPRequest, Method: MethodGet, HasHost: true, UserAgent: TextOf("probe/1.0")}
	response := HTTP{Kind: HTTPResponse, Status: 200, Server: TextOf("httpd/2")}
	long := strings.Repeat("x", 3000)
	tests := []struct {
		name string
		b    string
		want HTTP
		p    Progress
	}{
		{"request", "GET /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent: probe/1.0\r\nCookie: s=1\r\n\r\nbody", request, Done},
		{"request with LF", "GET / HTTP/1.0\nhost:x\nUSER-AGENT:probe/1.0  \n\n", request, Done},
		{"response", "HTTP/1.1 200 OK\r\nDate: now\r\nServer: httpd/2\r\n\r\n", response, Done},
		{"response without reason", "HTTP/1.0 200\r\nserver:\thttpd/2\r\n\r\n", response, Done},
		{"response without fields", "HTTP/1.1 304 \r\n\r\n", HTTP{Kind: HTTPResponse, Status: 304}, Done},
		{"folded", "HTTP/1.1 200 OK\r\nServer: httpd\r\n  part/2\r\n\tmore\r\nX: y\r\n\r\n", HTTP{Kind: HTTPResponse, Status: 200, Server: TextOf("httpd part/2")}, Done},
		{"folded onto nothing", "HTTP/1.1 200 OK\r\nServer:\r\n httpd/2\r\n\r\n", response, Done},
		{"the first of two", "HTTP/1.1 200 OK\nServer: httpd/2\nServer: two\n\n", response, Done},
		{"a line without a colon", "HTTP/1.1 200 OK\nnonsense\nServer: httpd/2\n\n", response, Done},
		{"long path", "GET /" + long + " HTTP/1.1\r\nHost: x\r\nUser-Agent: probe/1.0\r\n\r\n", request, Done},
		{"cut in a value", "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: pro", HTTP{Kind: HTTPRequest, Method: MethodGet, HasHost: true}, NeedMore},
		{"cut where a fold could follow", "HTTP/1.1 200 OK\r\nServer: httpd/2\r\n", HTTP{Kind: HTTPResponse, Status: 200}, NeedMore},
		{"cut in a fold", "HTTP/1.1 200 OK\r\nServer: httpd\r\n ver", HTTP{Kind: HTTPResponse, Status: 200}, NeedMore},
		{"cut in the blank line", "HTTP/1.1 200 OK\r\nServer: httpd/2\r\n\r", response, NeedMore},
		{"cut in the first line", "GET /" + long, HTTP{}, NeedMore},
		{"cut in the status", "HTTP/1.1 20", HTTP{}, NeedMore},
		{"cut in the method", "GE", HTTP{}, NeedMore},
		{"nothing yet", "", HTTP{}, NeedMore},
		{"too many fields", "HTTP/1.1 200 OK\nServer: httpd/2\n" + strings.Repeat("a: b\n", 70), response, Done},
		{"too long a header", "HTTP/1.1 200 OK\nServer: httpd/2\nX: " + strings.Repeat(long, 6), response, Done},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := HTTP{Server: TextOf("left over")}
			if p := m.DecodeStream([]byte(tt.b)); p != tt.p {
				t.Errorf("%v, want %v", p, tt.p)
			}
			m.Body = 0 // see TestHTTPContent
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestHTTPRefuses(t *testing.T) {
	for _, b := range []string{
		"\x16\x03\x01", "GETTY", "GOT / HTTP/1.1\r\n", "GET / RTSP/1.0\r\n\r\n", "GET /\r\n\r\n",
		"GET \x00\x01", "HTTP/2.0 200 OK", "HTTP/1.1 099 X", "HTTP/1.1 2x0 OK", "HTTP/1.1:200 OK", "HTTP/1.x 200 OK", "SSH-2.0-x\r\n",
		"GET /" + strings.Repeat("x", httpMaxHeader+10),
	} {
		if p := new(HTTP).DecodeStream([]byte(b)); p != No {
			t.Errorf("%.20q: %v, want no", b, p)
		}
	}
}

func TestHTTPMethods(t *testing.T) {
	for i := MethodGet; int(i) < len(httpMethods); i++ {
		var m HTTP
		if p := m.DecodeStream([]byte(i.String() + " /x HTTP/1.1\r\n\r\n")); p != Done || m.Method != i {
			t.Errorf("%v: %v, got %v", i, p, m.Method)
		}
	}
	if s := HTTPMethod(0).String() + HTTPMethod(200).String(); s != "" {
		t.Errorf("no method has the name %q", s)
	}
}

func TestHTTPAllocs(t *testing.T) {
	b, m := []byte("HTTP/1.1 200 OK\r\nServer: httpd\r\n  part/2\r\nX: y\r\n\r\n"), new(HTTP)
	r := []byte("SUBSCRIBE /x HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n")
	w := []byte("GET /Patient/x HTTP/1.1\r\nAccept: application/fhir+json\r\nContent-Length: 4\r\n\r\nbody")
	noAllocs(t, func() { m.DecodeStream(b); m.DecodeStream(r); m.DecodeStream(w); m.Content(w); _ = m.Class.String() })
}

func FuzzHTTP(f *testing.F) {
	f.Add([]byte("GET /a HTTP/1.1\r\nHost: x\r\nUser-Agent: a\r\n b\r\n\r\n"))
	f.Add([]byte("GET /fhir/Patient/1 HTTP/1.1\r\nAccept: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody"))
	f.Add([]byte("HTTP/1.0 200 OK\nServer: a\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m HTTP
		m.DecodeStream(b)
		if content, _ := m.Content(b); len(content) > len(b) {
			t.Fatalf("content of %d bytes of %d", len(content), len(b))
		}
		_, _ = m.Method.String(), m.Class.String()
		checkMessage(t, &m)
	})
}
