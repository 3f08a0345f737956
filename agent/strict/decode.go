package strict

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Decode decodes data into v, a pointer to a struct. file only names the source
// in errors: "FILE:LINE: …".
func Decode(file string, data []byte, v any) error {
	if len(data) > maxFile {
		return fmt.Errorf("%s: %d bytes: want at most %d", file, len(data), maxFile)
	}
	if line := tooDeep(data); line > 0 {
		return fmt.Errorf("%s:%d: nested too deeply: want at most %d brackets in each other", file, line, maxDepth)
	}
	md, err := toml.Decode(string(data), v)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return fmt.Errorf("%s:%d: %s", file, pe.Position.Line, strings.TrimPrefix(pe.Message, "toml: "))
		}
		if m := typeError.FindStringSubmatch(err.Error()); m != nil {
			return fmt.Errorf("%s:%s: key %q: %s", file, m[1], m[2], m[3])
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	un := md.Undecoded()
	if len(un) == 0 {
		un = otherCase(md.Keys(), reflect.TypeOf(v))
	}
	if len(un) == 0 {
		return nil
	}
	key := un[0]
	msg := fmt.Sprintf("%s:%d: unknown key %q", file, Line(data, key...), key.String())
	if near := Nearest(key[len(key)-1], fieldsAt(reflect.TypeOf(v), key[:len(key)-1])); near != "" {
		msg += fmt.Sprintf(" (nearest: %q)", near)
	}
	return errors.New(msg)
}

// otherCase lists the keys that are known in another case. The library takes
// them, and of "mode" and "Mode" in one table now the one, now the other.
func otherCase(keys []toml.Key, t reflect.Type) []toml.Key {
	var out []toml.Key
	for _, k := range keys {
		known := fieldsAt(t, k[:len(k)-1])
		if known != nil && !slices.Contains(known, k[len(k)-1]) {
			out = append(out, k)
		}
	}
	return out
}

// typeError takes apart what the library says of a value of the wrong type; it
// has no error type of its own for it.
var typeError = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*?)"\): (.*)$`)

// fieldsAt lists the keys that the type knows below the path.
func fieldsAt(t reflect.Type, path []string) []string {
	t = elem(t)
	for _, p := range path {
		if t.Kind() == reflect.Map {
			t = elem(t.Elem())
			continue
		}
		f, ok := field(t, p)
		if !ok {
			return nil
		}
		t = elem(f.Type)
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var out []string
	for i := range t.NumField() {
		out = append(out, name(t.Field(i)))
	}
	return out
}

func elem(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

func field(t reflect.Type, key string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for i := range t.NumField() {
		if f := t.Field(i); strings.EqualFold(name(f), key) {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func name(f reflect.StructField) string {
	if tag, _, _ := strings.Cut(f.Tag.Get("toml"), ","); tag != "" {
		return tag
	}
	return strings.ToLower(f.Name)
}

// Nearest is the known name with the fewest edits to the given one, the first of
// them where there are several, "" where even that one shares too little with it
// to be meant.
func Nearest(key string, known []string) string {
	best, dist := "", len(key)/2+2
	for _, k := range known {
		if d := edits(key, k); d < dist {
			best, dist = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
