package dissect

// Limits of a header (of ours: RFC 9112 sets none).
const (
	httpMaxHeader = 16 << 10 // bytes
	httpMaxFields = 64
)

// HTTP is the header of one HTTP/1 request or response (RFC 9112).
//
// phi: never read: path and query, body, cookies, credentials, referer, the
// value of Host, and every header field not named below.
type HTTP struct {
	Kind      HTTPKind
	Method    HTTPMethod // of a request
	Status    uint16     // of a response
	HasHost   bool
	UserAgent Text
	Server    Text
}

// HTTPKind tells a request from a response.
type HTTPKind uint8

// The kinds. The zero value is neither.
const (
	_ HTTPKind = iota
	HTTPRequest
	HTTPResponse
)

// DecodeStream reads the bytes of one direction of a connection, from its
// beginning or from the beginning of a segment. A header that has grown past
// the limits is Done with what it held up to there.
func (m *HTTP) DecodeStream(b []byte) Progress {
	method, status, p := httpStart(b)
	if p != Done {
		if p == NeedMore {
			*m = HTTP{}
		}
		return p
	}
	*m = HTTP{Kind: HTTPRequest, Method: method, Status: status}
	if status != 0 {
		m.Kind = HTTPResponse
	}
	head := b[:min(len(b), httpMaxHeader)]
	line, rest, _ := cutLine(head)
	if m.Kind == HTTPRequest && !endsInVersion(line) {
		return No
	}
	if p = m.fields(rest); len(b) >= httpMaxHeader {
		return Done
	}
	return p
}

// fields reads the header fields up to the blank line. Whether a line is
// complete is only known when the next one begins, since it may be folded
// (obs-fold, RFC 9112 §5.2): the first continuation is joined, others skipped.
func (m *HTTP) fields(b []byte) Progress {
	for range httpMaxFields {
		line, rest, ok := cutLine(b)
		if ok && len(line) == 0 {
			return Done
		}
		var more []byte
		for ok && isFolded(rest) {
			var next []byte
			next, rest, ok = cutLine(rest)
			if more == nil {
				more = next
			}
		}
		if !ok || len(rest) == 0 {
			return NeedMore
		}
		m.field(line, more)
		b = rest
	}
	return Done // more fields than are looked at
}

// isFolded reports whether b begins with a continuation line.
func isFolded(b []byte) bool { return len(b) > 0 && (b[0] == ' ' || b[0] == '\t') }

// field keeps one header field if it is on the allow-list; more is the
// continuation of a folded line.
func (m *HTTP) field(line, more []byte) {
	for i, c := range line {
		if c != ':' {
			continue
		}
		name, value := line[:i], trim(line[i+1:])
		switch {
		case foldEqual(name, "host"):
			m.HasHost = true
		case foldEqual(name, "user-agent") && m.UserAgent.n == 0:
			m.UserAgent.setFolded(value, more)
		case foldEqual(name, "server") && m.Server.n == 0:
			m.Server.setFolded(value, more)
		}
		return
	}
}

// setFolded sets t to two lines with a space between them.
func (t *Text) setFolded(a, b []byte) {
	t.set(a)
	b = trim(b)
	if len(b) == 0 {
		return
	}
	if t.n > 0 && int(t.n) < len(t.b) {
		t.b[t.n] = ' '
		t.n++
	}
	t.n += uint8(sanitise(t.b[t.n:], b))
}

// cutLine returns the first line of b without its end, CRLF or LF, and what
// follows it. ok is false when no line end is in b.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	for i, c := range b {
		if c != '\n' {
			continue
		}
		line, rest = b[:i], b[i+1:]
		if i > 0 && b[i-1] == '\r' {
			line = b[:i-1]
		}
		return line, rest, true
	}
	return b, nil, false
}

// httpStart recognises the first line of a request by its method or of a
// response by its version and status.
func httpStart(b []byte) (method HTTPMethod, status uint16, p Progress) {
	const version = "HTTP/1.x nnn"
	if len(b) == 0 {
		return 0, 0, NeedMore
	}
	if n := min(len(b), 7); string(b[:n]) == version[:n] {
		if len(b) < len(version) {
			return 0, 0, NeedMore
		}
		for i, c := range b[9:12] {
			if c < '0' || c > '9' || (i == 0 && c == '0') {
				return 0, 0, No
			}
			status = status*10 + uint16(c-'0')
		}
		if b[8] != ' ' || b[7] < '0' || b[7] > '9' {
			return 0, 0, No
		}
		return 0, status, Done
	}
	method, p = httpMethod(b)
	return method, 0, p
}

// endsInVersion reports whether a request line ends in HTTP/1.x.
func endsInVersion(line []byte) bool {
	const version = " HTTP/1."
	n := len(line) - len(version) - 1
	return n > 0 && string(line[n:n+len(version)]) == version
}
