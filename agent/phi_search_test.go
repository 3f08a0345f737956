package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// find is where the word stands in the text, in whatever way it is written down,
// with what stands around it; "" if nowhere.
func find(text []byte, word string) string {
	lower := bytes.ToLower(text)
	for _, in := range [][]byte{lower, squeezed(lower)} {
		for _, s := range writings(word) {
			if at := bytes.Index(in, []byte(s)); at >= 0 {
				return fmt.Sprintf("at %d: %q", at, in[max(0, at-40):min(len(in), at+40)])
			}
		}
	}
	for _, in := range [][]byte{text, squeezed(text)} {
		for _, s := range encodings(word) {
			if at := bytes.Index(in, []byte(s)); at >= 0 {
				return fmt.Sprintf("in base64 at %d: %q", at, in[max(0, at-40):min(len(in), at+40)])
			}
		}
	}
	return ""
}

// squeezed leaves letters and digits: what a word is spaced out with does not
// hide it, as the zeros of UTF-16, what they are replaced by, or the ends of lines.
func squeezed(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '+' || c == '/' {
			out = append(out, c)
		}
	}
	return out
}

// cased are the cases in which a word may come.
func cased(word string) []string {
	return []string{word, strings.ToUpper(word), strings.ToLower(word), word[:1] + strings.ToLower(word[1:])}
}

// writings are ways to write a word down in which case does not count, in lower
// case and without spaces: with its zeros of UTF-16 escaped, as numbers in
// hexadecimal and decimal, as Go prints bytes, memory and arguments of a
// function (where arrays end after five), and in the letters of NetBIOS.
func writings(word string) (out []string) {
	for _, w := range cased(word) {
		each := func(format string) (s string) {
			for _, c := range []byte(w) {
				s += fmt.Sprintf(format, c)
			}
			return s
		}
		swapped := []byte(w)
		slices.Reverse(swapped)
		half := ""
		for _, c := range []byte(w) {
			half += string([]byte{'a' + c>>4, 'a' + c&15})
		}
		out = append(out, w, strings.Join(strings.Split(w, ""), "x00"), strings.Join(strings.Split(w, ""), "u0000"), each("%02x"), each("00%02x"), each("%02x00"), each("%d"), each("0x%02x"), each("0x%02x")[:20],
			hex.EncodeToString(swapped), half)
	}
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// encodings are the word in base64, and in UTF-16 in base64. The inner characters
// do not depend on what surrounds it.
func encodings(word string) (out []string) {
	for _, w := range cased(word) {
		wide := ""
		for _, u := range utf16.Encode([]rune(w)) {
			wide += string([]byte{byte(u), 0})
		}
		for _, w := range []string{w, wide[:len(wide)-1]} {
			for i := range 3 {
				e := base64.StdEncoding.EncodeToString(append(make([]byte, i), w...))
				out = append(out, e[4*((i+2)/3):len(e)-4])
			}
		}
	}
	return out
}

// TestFind: a search that misses a way of writing proves nothing.
func TestFind(t *testing.T) {
	wide := "C\x00A\x00N\x00A\x00R\x00Y\x00"
	for _, written := range []string{"xCANARYx", "canary", "Canary", wide, "\x00" + wide, "C_A_N_A_R_Y", `C\x00A\x00N\x00A\x00R\x00Y\x00`, `\u0000C\u0000A\u0000N\u0000A\u0000R\u0000Y`,
		"43414e415259", "43414E415259", "63616e617279", "43 41 4e 41 52 59", "0043 0041 004e 0041 0052 0059", "0x43414e4152593030", "0x30305952414e4143",
		fmt.Sprint([]byte("xCANARYx")), fmt.Sprintf("%#v", []byte("CANARY")), "f({0x43, 0x41, 0x4e, 0x41, 0x52, ...})", "EDEBEOEBFCFJ",
		base64.StdEncoding.EncodeToString([]byte("CANARY0001")), base64.StdEncoding.EncodeToString([]byte("aCANARY0001")), base64.StdEncoding.EncodeToString([]byte("abCANARY0001")),
		base64.StdEncoding.EncodeToString([]byte("a" + wide)), "Q0FOQV\r\nJZMDAw", hex.EncodeToString([]byte(wide))} {
		if find([]byte("..."+written+"..."), secret) == "" {
			t.Errorf("%q is not found", written)
		}
	}
	if s := find([]byte("canal, 434143, Q0F, can a ray"), secret); s != "" {
		t.Error(s)
	}
}
