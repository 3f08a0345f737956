package dissect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// JA4 returns the JA4 fingerprint of a client over TCP, 36 characters such as
// t13d1516h2_8daaf6152771_e5627efa2ab1 (FoxIO ja4, BSD-3-Clause; the other
// members of that family are under another licence and are not implemented).
// It is empty when a list was too long to be kept.
//
// phi: numbers of algorithms and two characters of a protocol name only.
func (m *ClientHello) JA4() (t Text) {
	if m.overflow || m.Version == 0 {
		return Text{}
	}
	s := append(t.b[:0], 't')
	s = append(s, ja4Version(m)...)
	if m.hasSNI {
		s = append(s, 'd')
	} else {
		s = append(s, 'i')
	}
	s = appendTwoDigits(s, m.CiphersLen)
	s = appendTwoDigits(s, m.ExtensionsLen)
	s = append(s, m.ja4ALPN(0), m.ja4ALPN(1), '_')
	s = m.appendCiphersHash(s)
	s = append(s, '_')
	s = m.appendExtensionsHash(s)
	t.n = uint8(len(s))
	return t
}

// ja4Version names the highest version offered, or the legacy version where
// the extension is absent.
func ja4Version(m *ClientHello) string {
	v := m.Version
	if m.VersionsLen > 0 {
		v = slices.Max(m.Versions[:m.VersionsLen])
	}
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// ja4ALPN returns the first (0) or last (1) character of the first protocol
// name, or of its hexadecimal form when one of the two is not alphanumeric.
func (m *ClientHello) ja4ALPN(end int) byte {
	const digits = "0123456789abcdef"
	switch {
	case !m.hasALPN:
		return '0'
	case isAlnum(m.alpnEnds[0]) && isAlnum(m.alpnEnds[1]):
		return m.alpnEnds[end]
	case end == 0:
		return digits[m.alpnEnds[0]>>4]
	}
	return digits[m.alpnEnds[1]&15]
}

// appendCiphersHash appends the hash of the sorted ciphers.
func (m *ClientHello) appendCiphersHash(s []byte) []byte {
	if m.CiphersLen == 0 {
		return append(s, ja4None...)
	}
	sorted := m.Ciphers
	slices.Sort(sorted[:m.CiphersLen])
	var buf [5 * maxCiphers]byte
	return appendHash12(s, appendHexList(buf[:0], sorted[:m.CiphersLen]))
}

// appendExtensionsHash appends the hash of the sorted extensions but for
// server name and ALPN, and of the signature algorithms in wire order.
func (m *ClientHello) appendExtensionsHash(s []byte) []byte {
	var sorted [maxExtensions]uint16
	n := 0
	for _, e := range m.Extensions[:m.ExtensionsLen] {
		if e != extServerName && e != extALPN {
			sorted[n] = e
			n++
		}
	}
	if n == 0 {
		return append(s, ja4None...)
	}
	slices.Sort(sorted[:n])
	var buf [5*maxExtensions + 5*maxSigAlgs + 1]byte
	text := appendHexList(buf[:0], sorted[:n])
	if m.SigAlgsLen > 0 {
		text = appendHexList(append(text, '_'), m.SigAlgs[:m.SigAlgsLen])
	}
	return appendHash12(s, text)
}

// ja4None stands for the hash of an empty list.
const ja4None = "000000000000"

// appendTwoDigits appends n as two digits, at most 99.
func appendTwoDigits(s []byte, n uint16) []byte {
	n = min(n, 99)
	return append(s, '0'+byte(n/10), '0'+byte(n%10))
}

// appendHexList appends the numbers as four hexadecimal digits with commas.
func appendHexList(s []byte, v []uint16) []byte {
	for i, n := range v {
		if i > 0 {
			s = append(s, ',')
		}
		s = hex.AppendEncode(s, []byte{byte(n >> 8), byte(n)})
	}
	return s
}

// appendHash12 appends the first 12 hexadecimal digits of the SHA-256 of text.
func appendHash12(s, text []byte) []byte {
	sum := sha256.Sum256(text)
	return hex.AppendEncode(s, sum[:6])
}

// isAlnum reports whether c is an ASCII letter or digit.
func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
