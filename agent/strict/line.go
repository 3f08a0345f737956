package strict

import (
	"bytes"
	"slices"
	"strings"
)

// Line finds the line (from 1) on which the key at the path is first set, as a
// table header, a key below one, or a key of an inline table; the TOML library
// keeps positions to itself. It falls back to the first line that names the
// last part of the path, then to 1.
func Line(data []byte, path ...string) int {
	if len(path) == 0 {
		return 1
	}
	last := path[len(path)-1]
	var table []string
	inline := 0
	for i, raw := range bytes.Split(data, []byte("\n")) {
		l := strings.TrimSpace(string(raw))
		if strings.HasPrefix(l, "[") && !strings.Contains(l, "=") {
			table = keyPath(strings.Trim(strings.SplitN(l, "#", 2)[0], "[] \t"))
			if slices.Equal(table, path) {
				return i + 1
			}
			continue
		}
		k, _, ok := strings.Cut(l, "=")
		if !ok || strings.HasPrefix(l, "#") {
			continue
		}
		if slices.Equal(append(slices.Clone(table), keyPath(k)...), path) {
			return i + 1
		}
		if inline == 0 && len(path) > len(table) && slices.Equal(path[:len(table)], table) && names(l, last) {
			inline = i + 1
		}
	}
	return max(inline, 1)
}

// keyPath splits a dotted key.
func keyPath(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ".") {
		out = append(out, strings.Trim(strings.TrimSpace(p), `"'`))
	}
	return out
}

// names reports whether the line sets key somewhere in it.
func names(line, key string) bool {
	for rest := line; ; {
		i := strings.Index(rest, key)
		if i < 0 {
			return false
		}
		before := i == 0 || strings.ContainsRune(" \t{,\"'.", rune(rest[i-1]))
		after := strings.TrimLeft(rest[i+len(key):], "\"' \t")
		if before && strings.HasPrefix(after, "=") {
			return true
		}
		rest = rest[i+len(key):]
	}
}
