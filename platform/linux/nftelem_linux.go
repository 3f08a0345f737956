package linux

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/wardkeeper/wardkeeper/platform"
)

// word is the unit of nftables' registers: fields of a concatenation are padded
// to whole ones.
const word = 4

func padded(n int) int { return (n + word - 1) / word * word }

// Bounds of one message of elements. The list's length is a 16-bit attribute
// that wraps without an error: 2,500 elements then come out as 452.
const (
	maxElements     = 400
	maxElementBytes = 48 << 10
)

// encodeKey gives a key the kernel's layout.
func encodeKey(types []platform.KeyType, key string) []byte {
	var out []byte
	for _, k := range types {
		part := []byte(key[:k.Len()])
		key = key[k.Len():]
		if k == platform.KeyIfType {
			part = hostOrder(platform.MetaIIFType, string(part))
		}
		out = append(out, part...)
		if len(types) > 1 {
			out = append(out, make([]byte, padded(len(part))-len(part))...)
		}
	}
	return out
}

// decodeKey undoes encodeKey; false if the length is not that of the types.
func decodeKey(types []platform.KeyType, key []byte) (string, bool) {
	var out []byte
	for _, k := range types {
		size := k.Len()
		if len(types) > 1 {
			size = padded(size)
		}
		if len(key) < size {
			return "", false
		}
		part := key[:k.Len()]
		key = key[size:]
		if k == platform.KeyIfType {
			part = hostOrder(platform.MetaIIFType, string(part))
		}
		out = append(out, part...)
	}
	return string(out), len(key) == 0
}

// encodeElements translates elements of the set. A range over one field is two
// elements to the kernel, its first key and the one behind its last; a range
// over several is one element with two keys.
func encodeElements(set platform.Set, elements []platform.Element) []nftables.SetElement {
	out := make([]nftables.SetElement, 0, len(elements))
	for _, e := range elements {
		n := nftables.SetElement{
			Key:     encodeKey(set.Key, e.Key),
			Timeout: time.Duration(e.Timeout) * time.Millisecond,
		}
		if set.Map {
			n.VerdictData = encodeVerdict(e.Verdict)
		}
		last := n.Key
		if e.KeyEnd != "" {
			last = encodeKey(set.Key, e.KeyEnd)
		}
		if set.Interval && len(set.Key) > 1 {
			n.KeyEnd = last
		}
		out = append(out, n)
		if set.Interval && len(set.Key) == 1 {
			// Nothing is behind the highest key: that range stays open.
			if end, ok := step(last, 1); ok {
				out = append(out, nftables.SetElement{Key: end, IntervalEnd: true})
			}
		}
	}
	return out
}

// pairRanges makes one element out of the first and the end of each range.
func pairRanges(elements []element) []element {
	slices.SortFunc(elements, func(a, b element) int {
		// Where one range ends and the next begins, the end comes first.
		return cmp.Or(bytes.Compare(a.Key, b.Key), cmp.Compare(rank(a), rank(b)))
	})
	var out []element
	open := false
	for _, e := range elements {
		switch {
		case !e.IntervalEnd:
			e.KeyEnd = bytes.Repeat([]byte{0xff}, len(e.Key))
			out, open = append(out, e), true
		case open:
			// nft also stores a lone end at 0; it closes nothing.
			last, _ := step(e.Key, -1)
			out[len(out)-1].KeyEnd, open = last, false
		}
	}
	return out
}

func rank(e element) int {
	if e.IntervalEnd {
		return 0
	}
	return 1
}

// step adds 1 or -1 to a big-endian number; false when it wraps.
func step(key []byte, by int) ([]byte, bool) {
	key = bytes.Clone(key)
	for i := len(key) - 1; i >= 0; i-- {
		key[i] += byte(by)
		if by > 0 && key[i] != 0 || by < 0 && key[i] != 0xff {
			return key, true
		}
	}
	return key, false
}

// chunks cuts elements into messages that the kernel takes whole.
func chunks(elements []nftables.SetElement) [][]nftables.SetElement {
	var out [][]nftables.SetElement
	start, size := 0, 0
	for i, e := range elements {
		// 64 bytes for the attributes around the values.
		n := padded(len(e.Key)) + padded(len(e.KeyEnd)) + 64
		if e.VerdictData != nil {
			n += 32 + padded(len(e.VerdictData.Chain)+1)
		}
		if i-start == maxElements || size+n > maxElementBytes {
			out, start, size = append(out, elements[start:i]), i, 0
		}
		size += n
	}
	if start < len(elements) {
		out = append(out, elements[start:])
	}
	return out
}

func encodeVerdict(v platform.Verdict) *expr.Verdict {
	kinds := map[platform.VerdictKind]expr.VerdictKind{
		platform.Accept: expr.VerdictAccept,
		platform.Drop:   expr.VerdictDrop,
		platform.Return: expr.VerdictReturn,
		platform.Jump:   expr.VerdictJump,
		platform.Goto:   expr.VerdictGoto,
	}
	return &expr.Verdict{Kind: kinds[v.Kind], Chain: v.Chain}
}

// decodeVerdict returns the zero verdict for one that is not in our vocabulary.
func decodeVerdict(kind expr.VerdictKind, chain string) platform.Verdict {
	switch kind {
	case expr.VerdictAccept:
		return platform.Verdict{Kind: platform.Accept}
	case expr.VerdictDrop:
		return platform.Verdict{Kind: platform.Drop}
	case expr.VerdictReturn:
		return platform.Verdict{Kind: platform.Return}
	case expr.VerdictJump:
		return platform.Verdict{Kind: platform.Jump, Chain: chain}
	case expr.VerdictGoto:
		return platform.Verdict{Kind: platform.Goto, Chain: chain}
	}
	return platform.Verdict{}
}
