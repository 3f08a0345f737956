package radius

import "fmt"

// NoSession is the Error-Cause of a NAS that has no such session.
const NoSession = 503

// String is how the answer reads.
func (a Answer) String() string {
	switch {
	case a.ACK:
		return "Disconnect-ACK"
	case a.Cause == 0:
		return "Disconnect-NAK without Error-Cause"
	}
	return fmt.Sprintf("Disconnect-NAK %d %s", a.Cause, cause(a.Cause))
}

// cause names the values of Error-Cause (RFC 5176, section 3.5).
func cause(c uint32) string {
	switch c {
	case 201:
		return "Residual-Session-Context-Removed"
	case 202:
		return "Invalid-EAP-Packet"
	case 401:
		return "Unsupported-Attribute"
	case 402:
		return "Missing-Attribute"
	case 403:
		return "NAS-Identification-Mismatch"
	case 404:
		return "Invalid-Request"
	case 405:
		return "Unsupported-Service"
	case 406:
		return "Unsupported-Extension"
	case 407:
		return "Invalid-Attribute-Value"
	case 501:
		return "Administratively-Prohibited"
	case 502:
		return "Request-Not-Routable"
	case NoSession:
		return "Session-Context-Not-Found"
	case 504:
		return "Session-Context-Not-Removable"
	case 505:
		return "Other-Proxy-Processing-Error"
	case 506:
		return "Resources-Unavailable"
	case 507:
		return "Request-Initiated"
	case 508:
		return "Multiple-Session-Selection-Unsupported"
	}
	return "of an unknown cause"
}
