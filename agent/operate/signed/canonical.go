package signed

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// encode is the one spelling of v: keys in the order of its struct, no spaces,
// and no escapes but those that JSON, or a terminal, needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode takes the one spelling of a T and nothing else. What is of another
// type gets the reason bad.
func decode[T any](text []byte, what string, bad Reason) (T, error) {
	var v T
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, refuse(bad, "read %s: %v", what, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return v, refuse(bad, "read %s: more behind its end", what)
	}
	again, err := encode(v)
	if err != nil {
		return v, refuse(bad, "encode %s again: %v", what, err)
	}
	if !bytes.Equal(text, again) {
		return v, refuse(ReasonNotCanonical, "read %s: not its canonical form, from byte %d on", what, differ(text, again))
	}
	return v, nil
}

// differ is where a and b, which differ, begin to.
func differ(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
