package strict

import "bytes"

// Bounds of a file. The library keeps the whole path of every key, so that the
// memory grows with the square of the depth: 1 MiB of nested tables took 5 GB.
const (
	maxFile  = 4 << 20 // bytes
	maxDepth = 64      // of brackets in each other
	maxDots  = 4096    // on one line, outside strings
)

// tooDeep finds the first line that is nested beyond the bounds, or 0.
func tooDeep(data []byte) int {
	depth, dots, line := 0, 0, 1
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '\n':
			line++
			dots = 0
		case '#':
			for i+1 < len(data) && data[i+1] != '\n' {
				i++
			}
		case '"', '\'':
			n := quoted(data[i:], c)
			line += bytes.Count(data[i:i+n], []byte("\n"))
			i += n - 1
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		case '.':
			dots++
		}
		if depth > maxDepth || dots > maxDots {
			return line
		}
	}
	return 0
}

// quoted is the length of the string that b begins with, quotes included. One
// that does not end is an error that the library words; here it ends its line.
func quoted(b []byte, quote byte) int {
	triple := bytes.Repeat([]byte{quote}, 3)
	if bytes.HasPrefix(b, triple) {
		for i := 3; i < len(b); i++ {
			if quote == '"' && b[i] == '\\' {
				i++
			} else if bytes.HasPrefix(b[i:], triple) {
				n := i + 3
				for n < len(b) && n < i+5 && b[n] == quote { // up to two quotes may stand before the end
					n++
				}
				return n
			}
		}
		return len(b)
	}
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\n':
			return i
		case quote == '"' && b[i] == '\\':
			i++
		case b[i] == quote:
			return i + 1
		}
	}
	return len(b)
}
