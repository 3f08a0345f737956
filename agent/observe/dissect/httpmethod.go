package dissect

// HTTPMethod is a known request method. A word that is none of them is not
// taken for HTTP, so a method can hold no text.
type HTTPMethod uint8

// The methods of RFC 9110 §9, 5789, WebDAV (RFC 4918) and UPnP GENA. The zero
// value is none of them.
const (
	_ HTTPMethod = iota
	MethodGet
	MethodHead
	MethodPost
	MethodPut
	MethodDelete
	MethodConnect
	MethodOptions
	MethodTrace
	MethodPatch
	MethodPropfind
	MethodProppatch
	MethodMkcol
	MethodCopy
	MethodMove
	MethodLock
	MethodUnlock
	MethodReport
	MethodSubscribe
	MethodUnsubscribe
	MethodNotify
)

// httpMethods are their names on the wire.
var httpMethods = [...]string{
	MethodGet: "GET", MethodHead: "HEAD", MethodPost: "POST", MethodPut: "PUT", MethodDelete: "DELETE",
	MethodConnect: "CONNECT", MethodOptions: "OPTIONS", MethodTrace: "TRACE", MethodPatch: "PATCH",
	MethodPropfind: "PROPFIND", MethodProppatch: "PROPPATCH", MethodMkcol: "MKCOL", MethodCopy: "COPY",
	MethodMove: "MOVE", MethodLock: "LOCK", MethodUnlock: "UNLOCK", MethodReport: "REPORT",
	MethodSubscribe: "SUBSCRIBE", MethodUnsubscribe: "UNSUBSCRIBE", MethodNotify: "NOTIFY",
}

// String returns the name on the wire, or "" for none.
func (m HTTPMethod) String() string {
	if int(m) < len(httpMethods) {
		return httpMethods[m]
	}
	return ""
}

// httpMethod recognises a method and the line that follows it, which must be
// complete or within the header limit.
func httpMethod(b []byte) (HTTPMethod, Progress) {
	if b[0] < 'C' || b[0] > 'U' {
		return 0, No
	}
	p := No
	for i := MethodGet; int(i) < len(httpMethods); i++ {
		name := httpMethods[i]
		switch {
		case len(b) <= len(name):
			if string(b) == name[:len(b)] {
				p = NeedMore
			}
		case b[len(name)] == ' ' && string(b[:len(name)]) == name:
			return i, httpLine(b[len(name)+1:])
		}
	}
	return 0, p
}

// httpLine looks at the rest of a request line: bytes that no line of text
// has make it something else.
func httpLine(b []byte) Progress {
	for i, c := range b {
		switch {
		case c == '\n':
			return Done
		case i >= httpMaxHeader:
			return No
		case c < ' ' && c != '\r' && c != '\t' || c == 0x7f:
			return No
		}
	}
	return NeedMore
}
