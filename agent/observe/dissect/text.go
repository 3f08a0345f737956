package dissect

import "unicode/utf8"

// textSize is the longest banner kept, in bytes (design.md §5).
const textSize = 128

// Text is a short sanitised string that came from the wire: printable ASCII
// without the characters that could break a log line, a query or a console.
// It is a copy of fixed size, so it borrows nothing from the frame, can be
// compared with == and is empty as its zero value.
type Text struct {
	n uint8
	b [textSize]byte
}

// String returns the text. It allocates.
func (t Text) String() string { return string(t.b[:t.n]) }

// Len returns the length in bytes.
func (t *Text) Len() int { return int(t.n) }

// IsZero reports whether nothing was read.
func (t *Text) IsZero() bool { return t.n == 0 }

// AppendTo appends the text to dst without another allocation.
func (t *Text) AppendTo(dst []byte) []byte { return append(dst, t.b[:t.n]...) }

// set replaces the text by a sanitised copy of src.
func (t *Text) set(src []byte) {
	*t = Text{}
	src = trim(src)
	t.n = uint8(sanitise(t.b[:], src[:textEnd(src)]))
}

// setOnce is set for a field of which the first occurrence counts.
func (t *Text) setOnce(src []byte) {
	if t.n == 0 {
		t.set(src)
	}
}

// textEnd is where the text in s ends: at a control character but those of white
// space. What stands behind it belongs to something else, where a length lies or
// an end is missing.
func textEnd(s []byte) int {
	for i, c := range s {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return i
		}
	}
	return len(s)
}

// trim cuts the padding that protocols put around strings: spaces (DICOM),
// NULs (DHCP, Philips) and line ends.
func trim(s []byte) []byte {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// sanitise copies src into dst, one byte for each character, and returns the
// count. A character that is not allowed becomes one underscore, whether it
// was one byte, a UTF-8 sequence or an invalid byte.
func sanitise(dst, src []byte) int {
	n := 0
	for i := 0; i < len(src) && n < len(dst); n++ {
		c, size := src[i], 1
		if c >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(src[i:])
		}
		if !allowed(c) {
			c = '_'
		}
		dst[n] = c
		i += size
	}
	return n
}

// allowed reports whether c may stand in a Text (design.md §5).
func allowed(c byte) bool {
	if c < ' ' || c > '~' {
		return false
	}
	switch c {
	case '"', '^', '|', '`', '\\', '<', '>':
		return false
	}
	return true
}
