package radius

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Codes of RFC 5176.
const (
	disconnectRequest = 40
	disconnectACK     = 41
	disconnectNAK     = 42
)

// Attributes of RFC 2865, 2869, 3162 and 5176.
const (
	nasIPAddress         = 4
	callingStationID     = 31
	nasIdentifier        = 32
	eventTimestamp       = 55
	messageAuthenticator = 80
	nasIPv6Address       = 95
	errorCause           = 101
)

const (
	headerLen = 20
	authAt    = 4 // the authenticator in the header
	maxLen    = 4096
	sumLen    = md5.Size // of authenticators of both kinds
)

// Disconnect is a request to end the session of one station.
type Disconnect struct {
	Identifier    byte
	Station       string     // Calling-Station-Id, as the NAS writes it
	NASIdentifier string     // "" for none
	NASAddress    netip.Addr // not valid for none
	Time          uint32     // Event-Timestamp: seconds since 1970
}

// Encode writes the request and signs it with the secret. The same bytes are
// sent again where no answer comes (RFC 5176, section 2.3): another time stamp
// would be another request.
func (d Disconnect) Encode(secret []byte) ([]byte, error) {
	p := make([]byte, headerLen, 128)
	p[0], p[1] = disconnectRequest, d.Identifier
	switch {
	case len(secret) == 0:
		return nil, errors.New("encode Disconnect-Request: no secret")
	case len(d.Station) == 0 || len(d.Station) > 253:
		return nil, fmt.Errorf("encode Disconnect-Request: Calling-Station-Id of %d bytes, want 1 to 253", len(d.Station))
	case len(d.NASIdentifier) > 253:
		return nil, fmt.Errorf("encode Disconnect-Request: NAS-Identifier of %d bytes, want at most 253", len(d.NASIdentifier))
	}
	p = add(p, callingStationID, []byte(d.Station))
	if d.NASIdentifier != "" {
		p = add(p, nasIdentifier, []byte(d.NASIdentifier))
	}
	if a := d.NASAddress.Unmap(); a.Is4() {
		p = add(p, nasIPAddress, a.AsSlice())
	} else if a.IsValid() {
		p = add(p, nasIPv6Address, a.AsSlice())
	}
	p = add(p, eventTimestamp, binary.BigEndian.AppendUint32(nil, d.Time))
	at := len(p) + 2
	p = add(p, messageAuthenticator, make([]byte, sumLen))
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	// The Message-Authenticator is over the request with an authenticator of
	// zeros and comes first: the Request Authenticator is over it, too.
	copy(p[at:], keyed(p, secret))
	copy(p[authAt:headerLen], sum(p, secret))
	return p, nil
}

func add(p []byte, kind byte, value []byte) []byte {
	return append(append(p, kind, byte(2+len(value))), value...)
}

func keyed(p, secret []byte) []byte {
	h := hmac.New(md5.New, secret)
	h.Write(p)
	return h.Sum(nil)
}

func sum(p, secret []byte) []byte {
	s := md5.Sum(append(bytes.Clone(p), secret...))
	return s[:]
}

// Answer is what the NAS said.
type Answer struct {
	ACK   bool
	Cause uint32 // Error-Cause of a NAK, 0 for none
}

// ErrForeign says that a packet is not the answer to the request, or that who
// sent it does not know the secret. It is to be ignored: anybody can send one.
var ErrForeign = errors.New("not an authentic answer to the request")

// Verify reads the answer to a request that Encode wrote.
func Verify(p, request, secret []byte) (Answer, error) {
	if len(p) < headerLen || len(p) > maxLen {
		return Answer{}, fmt.Errorf("%w: %d bytes", ErrForeign, len(p))
	}
	n := int(binary.BigEndian.Uint16(p[2:]))
	if n < headerLen || n > len(p) {
		return Answer{}, fmt.Errorf("%w: says it has %d bytes and has %d", ErrForeign, n, len(p))
	}
	p = bytes.Clone(p[:n]) // what follows is padding
	if p[0] != disconnectACK && p[0] != disconnectNAK || p[1] != request[1] {
		return Answer{}, fmt.Errorf("%w: code %d, identifier %d, want 41 or 42, %d", ErrForeign, p[0], p[1], request[1])
	}
	theirs := bytes.Clone(p[authAt:headerLen])
	copy(p[authAt:headerLen], request[authAt:headerLen])
	if !hmac.Equal(theirs, sum(p, secret)) {
		return Answer{}, fmt.Errorf("%w: wrong Response Authenticator", ErrForeign)
	}
	a := Answer{ACK: p[0] == disconnectACK}
	for at := headerLen; at < n; {
		if n-at < 2 || int(p[at+1]) < 2 || int(p[at+1]) > n-at {
			return Answer{}, fmt.Errorf("%w: broken attribute at %d", ErrForeign, at)
		}
		kind, value := p[at], p[at+2:at+int(p[at+1])]
		at += int(p[at+1])
		switch {
		case kind == errorCause && len(value) == 4:
			a.Cause = binary.BigEndian.Uint32(value)
		case kind == messageAuthenticator:
			theirs := bytes.Clone(value)
			clear(value)
			ours := keyed(p, secret)
			copy(value, theirs)
			if !hmac.Equal(theirs, ours) {
				return Answer{}, fmt.Errorf("%w: wrong Message-Authenticator", ErrForeign)
			}
		}
	}
	return a, nil
}
