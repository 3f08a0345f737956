package dissect

// Limits of a header (of ours: RFC 9112 sets none).
const (
	httpMaxHeader = 16 << 10 // bytes
	httpMaxFields = 64
	httpMaxChunk  = 1 << 26 // bytes; longer ones are no chunks
)

// HTTP is the header of one HTTP/1 request or response (RFC 9112).
//
// phi: never read: query, body, cookies, credentials, referer, the value of
// Host, and every header field not named below. Of a path only the name of a
// class of records is known, by comparison with a list, and only where the
// media type says that it is one.
type HTTP struct {
	Kind      HTTPKind
	Method    HTTPMethod // of a request
	Status    uint16     // of a response
	HasHost   bool
	UserAgent Text
	Server    Text

	Media  HTTPMedia // of the content
	Accept HTTPMedia // the first that is told apart
	Class  WebClass  // of a request about FHIR or DICOMweb
	// Metadata: a path ends in "metadata", as the question for what a FHIR
	// server is does, whatever the media type.
	Metadata bool
	Length   uint32 // of the content, bytes; 0 none or not said
	Chunked  bool   // the content is in chunks, the first one's size in front
	Encoded  bool   // the content is compressed
	Body     int    // where the content begins, once the header has ended
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
	p = m.fields(rest, len(head))
	if m.Kind == HTTPRequest {
		path := httpPath(line)
		m.Metadata = string(lastSegment(path)) == "metadata"
		switch {
		case m.Media.FHIR() || m.Accept.FHIR():
			m.Class.read(path, false)
		case m.Media == MediaDICOM || m.Accept == MediaDICOM:
			m.Class.read(path, true)
		}
	}
	if len(b) >= httpMaxHeader {
		return Done
	}
	return p
}

// Content returns the part of b, the message, that belongs to its content, as
// far as it is there, and whether that is all; of content in chunks, the first.
func (m *HTTP) Content(b []byte) (content []byte, whole bool) {
	if m.Body <= 0 || m.Body > len(b) || m.Encoded {
		return nil, false
	}
	b = b[m.Body:]
	n := int(m.Length & (1<<31 - 1))
	switch {
	case m.Chunked:
		line, rest, ok := cutLine(b)
		if n = chunkSize(line); !ok || n == 0 {
			return nil, false
		}
		b = rest
	case n == 0:
		return b, false
	}
	return b[:min(len(b), n)], n <= len(b)
}

// chunkSize reads the size in front of a chunk, 0 where it is none (RFC 9112 §7.1).
func chunkSize(line []byte) (n int) {
	for _, c := range trim(firstPart(line, ';')) {
		d := hexDigit(c)
		if d > 15 || n > httpMaxChunk {
			return 0
		}
		n = n<<4 | int(d)
	}
	return n
}

// fields reads the header fields up to the blank line; b ends at the offset end
// of the message. Whether a line is
// complete is only known when the next one begins, since it may be folded
// (obs-fold, RFC 9112 §5.2): the first continuation is joined, others skipped.
func (m *HTTP) fields(b []byte, end int) Progress {
	for range httpMaxFields {
		line, rest, ok := cutLine(b)
		if ok && len(line) == 0 {
			m.Body = end - len(rest)
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
		default:
			m.content(name, value, more)
		}
		return
	}
}

// content keeps what a header field says of the content.
func (m *HTTP) content(name, value, more []byte) {
	switch {
	case foldEqual(name, "content-type"):
		if m.Media.read(value); m.Media == 0 {
			m.Media.read(more)
		}
	case foldEqual(name, "accept"):
		if m.Accept.read(value); m.Accept == 0 {
			m.Accept.read(more)
		}
	case foldEqual(name, "content-length"):
		m.Length = 0
		if digits := leadingDigits(value); len(digits) == len(value) && len(digits) < 10 {
			for _, c := range digits {
				m.Length = m.Length*10 + uint32(c-'0')
			}
		}
	case foldEqual(name, "transfer-encoding"):
		m.Chunked = foldEqual(value, "chunked")
	case foldEqual(name, "content-encoding"):
		m.Encoded = len(value) > 0 && !foldEqual(value, "identity")
	}
}

// setFolded sets t to two lines with a space between them. What stands behind a
// CR within a line is of another.
func (t *Text) setFolded(a, b []byte) {
	a, _, _ = cutByte(a, '\r')
	b, _, _ = cutByte(trim(b), '\r')
	t.set(a)
	b = b[:textEnd(b)]
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
