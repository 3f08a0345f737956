package dissect

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
)

// ja3Buffer holds the longest JA3 string: version and four lists of numbers
// of at most five digits and a separator each.
const ja3Buffer = 6 + 6*(maxCiphers+maxExtensions+maxGroups) + 4*maxPoints + 4

// JA3 returns the JA3 fingerprint of the client, 32 hexadecimal digits: the
// MD5 of version, ciphers, extensions, groups and point formats in wire order
// (salesforce/ja3). It is empty when a list was too long to be kept.
//
// phi: numbers of algorithms only.
func (m *ClientHello) JA3() Text {
	if m.overflow || m.Version == 0 {
		return Text{}
	}
	var buf [ja3Buffer]byte
	s := append(strconv.AppendUint(buf[:0], uint64(m.Version), 10), ',')
	s = append(appendDecimals(s, m.Ciphers[:m.CiphersLen]), ',')
	s = append(appendDecimals(s, m.Extensions[:m.ExtensionsLen]), ',')
	s = append(appendDecimals(s, m.Groups[:m.GroupsLen]), ',')
	for i, p := range m.Points[:m.PointsLen] {
		if i > 0 {
			s = append(s, '-')
		}
		s = strconv.AppendUint(s, uint64(p), 10)
	}
	return md5Text(s)
}

// appendDecimals appends the numbers with dashes between them.
func appendDecimals(s []byte, v []uint16) []byte {
	for i, n := range v {
		if i > 0 {
			s = append(s, '-')
		}
		s = strconv.AppendUint(s, uint64(n), 10)
	}
	return s
}

// md5Text returns the MD5 of s in hexadecimal digits. MD5 is what the
// fingerprint is defined by; nothing rests on its strength.
func md5Text(s []byte) (t Text) {
	sum := md5.Sum(s)
	t.n = uint8(hex.Encode(t.b[:], sum[:]))
	return t
}
