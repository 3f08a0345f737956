package dissect

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

// HTTPMethod is a known request method.
type HTTPMethod uint8
