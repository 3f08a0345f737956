package dissect

import (
	"bytes"
	"unicode/utf8"
)

// xmlKind is what stands at a place of an XML document.
type xmlKind uint8

// Kinds. The zero value is the end of what can be read: the end of the bytes,
// or something that is not allowed, such as a document type.
const (
	_ xmlKind = iota
	xmlStart
	xmlEnd
	xmlText
)

// xmlScanner finds tags and text in their order. It expands nothing, checks no
// nesting and borrows all that it shows.
type xmlScanner struct {
	b     []byte // what is still to be read
	name  []byte // of a tag, with its prefix
	attrs []byte // of a start tag
	text  []byte // between two tags, entities not expanded
	empty bool   // <name/>: its end comes next
}

// next goes to the next tag or text. A tag that is cut short ends it, and so
// does text that no tag follows.
func (s *xmlScanner) next() xmlKind {
	if s.empty {
		s.empty, s.attrs = false, nil
		return xmlEnd
	}
	for {
		at := bytes.IndexByte(s.b, '<')
		if at < 0 {
			return 0
		}
		if text := s.b[:at]; len(trim(text)) > 0 {
			s.text, s.b = text, s.b[at:]
			return xmlText
		}
		s.b = s.b[at:]
		var end string
		switch {
		case bytes.HasPrefix(s.b, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(s.b, []byte("<![CDATA[")):
			end = "]]>"
		case bytes.HasPrefix(s.b, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(s.b, []byte("<!")):
			return 0 // a document type could define entities
		default:
			return s.tag()
		}
		if at = bytes.Index(s.b, []byte(end)); at < 0 {
			return 0
		}
		s.b = s.b[at+len(end):]
	}
}

// tag reads the tag that s.b begins with.
func (s *xmlScanner) tag() xmlKind {
	quote := byte(0)
	for i := 1; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return 0
		case c == '>':
			inner := s.b[1:i]
			s.b = s.b[i+1:]
			return s.split(inner)
		}
	}
	return 0
}

// split splits what stands between < and >.
func (s *xmlScanner) split(inner []byte) xmlKind {
	kind := xmlStart
	switch {
	case len(inner) > 0 && inner[0] == '/':
		kind, inner = xmlEnd, inner[1:]
	case len(inner) > 0 && inner[len(inner)-1] == '/':
		s.empty, inner = true, inner[:len(inner)-1]
	}
	n := 0
	for n < len(inner) && inner[n] > ' ' {
		n++
	}
	if n == 0 {
		return 0
	}
	s.name, s.attrs = inner[:n], inner[n:]
	return kind
}

// xmlAttribute takes one attribute off the front of a tag's attributes.
func xmlAttribute(attrs []byte) (name, value, rest []byte, ok bool) {
	attrs = trim(attrs)
	eq := bytes.IndexByte(attrs, '=')
	if eq < 0 {
		return nil, nil, nil, false
	}
	name, attrs = trim(attrs[:eq]), trim(attrs[eq+1:])
	if len(attrs) < 2 || attrs[0] != '"' && attrs[0] != '\'' {
		return nil, nil, nil, false
	}
	end := bytes.IndexByte(attrs[1:], attrs[0])
	if end < 0 {
		return nil, nil, nil, false
	}
	return name, attrs[1 : 1+end], attrs[2+end:], true
}

// attribute is the value of an attribute of the tag, by its local name; nil
// where it has none.
func (s *xmlScanner) attribute(local string) []byte {
	for rest := s.attrs; ; {
		name, value, more, ok := xmlAttribute(rest)
		if !ok {
			return nil
		}
		if _, l := xmlName(name); string(l) == local {
			return value
		}
		rest = more
	}
}

// xmlName splits a qualified name.
func xmlName(name []byte) (prefix, local []byte) {
	if at := bytes.IndexByte(name, ':'); at >= 0 {
		return name[:at], name[at+1:]
	}
	return nil, name
}

// setXML sets t to text in which entities stand for characters.
func (t *Text) setXML(src []byte) {
	var buf [2 * textSize]byte
	out := buf[:0]
	for src = trim(src); len(src) > 0 && len(out)+utf8.UTFMax <= len(buf); {
		if src[0] != '&' {
			out, src = append(out, src[0]), src[1:]
			continue
		}
		end := bytes.IndexByte(src[:min(len(src), 12)], ';')
		if end < 0 {
			break
		}
		out = utf8.AppendRune(out, xmlEntity(src[1:end]))
		src = src[end+1:]
	}
	t.set(out)
}

// xmlEntity is the character of one of the five entities of XML, or of a
// number; others are not expanded.
func xmlEntity(name []byte) rune {
	switch string(name) {
	case "amp":
		return '&'
	case "apos":
		return '\''
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	}
	if len(name) < 2 || name[0] != '#' {
		return utf8.RuneError
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	r := rune(0)
	for _, c := range digits {
		d := rune(base)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		}
		if d >= base || r > utf8.MaxRune {
			return utf8.RuneError
		}
		r = r*base + d
	}
	return r
}
