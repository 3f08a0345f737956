package linux

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// TestChunks: no message of elements is longer than its 16-bit length can say,
// and none is lost (trap 2).
func TestChunks(t *testing.T) {
	for _, set := range []platform.Set{
		{Key: []platform.KeyType{platform.KeyEtherAddr}},
		{Key: []platform.KeyType{platform.KeyIPv6, platform.KeyIPv6, platform.KeyProto, platform.KeyService}, Interval: true},
		{Key: []platform.KeyType{platform.KeyEtherAddr}, Map: true},
		{Key: []platform.KeyType{platform.KeyService}, Interval: true},
	} {
		element := platform.Element{Key: string(make([]byte, set.KeyLen()))}
		if set.Map {
			element.Verdict = platform.Verdict{Kind: platform.Jump, Chain: strings.Repeat("c", 63)}
		}
		if set.Interval {
			element.KeyEnd = strings.Repeat("\x01", set.KeyLen())
		}
		elements := encodeElements(set, slicesOf(element, 1500))
		total := 0
		for _, chunk := range chunks(elements) {
			total += len(chunk)
			conn, err := nftables.New()
			if err != nil {
				t.Fatal(err)
			}
			w := writer{table: &nftables.Table{Name: "t"}}
			set.Name = "s"
			nft, err := w.set(set)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.SetAddElements(nft, chunk); err != nil {
				t.Fatal(err)
			}
			if len(chunk) > maxElements {
				t.Errorf("%d elements in a message", len(chunk))
			}
			if n := wireSize(chunk); n > 1<<16-1024 {
				t.Errorf("key %v: message of %d bytes", set.Key, n)
			}
		}
		if total != len(elements) {
			t.Errorf("key %v: %d of %d elements", set.Key, total, len(elements))
		}
	}
}

func slicesOf(e platform.Element, n int) []platform.Element {
	out := make([]platform.Element, n)
	for i := range out {
		out[i] = e
	}
	return out
}

// wireSize adds up what the attributes of elements take: element, key, key end
// and value are nested one in another, 4 bytes each.
func wireSize(elements []nftables.SetElement) int {
	n := 0
	for _, e := range elements {
		n += 4 + 8 + padded(len(e.Key))
		if e.KeyEnd != nil {
			n += 8 + padded(len(e.KeyEnd))
		}
		if e.VerdictData != nil {
			n += 4 + 4 + 8 + 4 + padded(len(e.VerdictData.Chain)+1)
		}
		n += 12 // timeout
	}
	return n
}

func TestStep(t *testing.T) {
	for _, tt := range []struct {
		in   string
		by   int
		want string
		ok   bool
	}{
		{"\x00\x00", 1, "\x00\x01", true}, {"\x00\xff", 1, "\x01\x00", true}, {"\xff\xff", 1, "\x00\x00", false},
		{"\x01\x00", -1, "\x00\xff", true}, {"\x00\x01", -1, "\x00\x00", true}, {"\x00\x00", -1, "\xff\xff", false},
	} {
		got, ok := step([]byte(tt.in), tt.by)
		if string(got) != tt.want || ok != tt.ok {
			t.Errorf("%x %+d: %x, %v", tt.in, tt.by, got, ok)
		}
	}
}

// TestVerdictOf: only the kernel's own answer proves that nothing was committed.
func TestVerdictOf(t *testing.T) {
	answer := func(e syscall.Errno) error {
		return fmt.Errorf("conn.Receive: %w", &netlink.OpError{Op: "receive", Err: e})
	}
	socket := func(op string, e syscall.Errno) error {
		return &netlink.OpError{Op: op, Err: os.NewSyscallError(op, e)}
	}
	for _, tt := range []struct {
		err  error
		want error // nil: the bare error
	}{
		{answer(unix.ENOENT), nil},
		{answer(unix.EEXIST), nil},
		{answer(unix.EPERM), nil},
		{answer(unix.EOPNOTSUPP), platform.ErrUnsupported},
		{answer(unix.ENOBUFS), platform.ErrStateUnknown},
		{socket("receive", unix.ENOBUFS), platform.ErrStateUnknown},
		{socket("receive", unix.EINTR), platform.ErrStateUnknown},
		{&netlink.OpError{Op: "receive", Err: os.ErrDeadlineExceeded}, platform.ErrStateUnknown},
		{socket("send-messages", unix.EMSGSIZE), platform.ErrTooLarge},
		{socket("send-messages", unix.ENOBUFS), platform.ErrStateUnknown},
		{errors.New("something else"), platform.ErrStateUnknown},
	} {
		got := verdictOf(tt.err)
		if !errors.Is(got, tt.err) || tt.want != nil && !errors.Is(got, tt.want) ||
			tt.want == nil && (errors.Is(got, platform.ErrStateUnknown) || errors.Is(got, platform.ErrTooLarge)) {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
	if verdictOf(nil) != nil {
		t.Error("no error became one")
	}
}

// FuzzKeys: a key comes back from the kernel's layout as it went in.
func FuzzKeys(f *testing.F) {
	f.Add([]byte{1, 7, 3}, []byte("abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, types, bytes []byte) {
		var key []platform.KeyType
		for _, b := range types {
			if len(key) < 5 {
				key = append(key, platform.KeyType(b%uint8(lastKeyType))+1)
			}
		}
		set := platform.Set{Key: key}
		if len(key) == 0 || len(bytes) < set.KeyLen() {
			return
		}
		in := string(bytes[:set.KeyLen()])
		out, ok := decodeKey(key, encodeKey(key, in))
		if diff := cmp.Diff(in, out); !ok || diff != "" {
			t.Errorf("key %v: %v %s", key, ok, diff)
		}
	})
}

// FuzzMessages: no message upsets the decoders.
func FuzzMessages(f *testing.F) {
	attr := func(kind uint16, data ...byte) []byte {
		b, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: kind, Data: data}})
		if err != nil {
			panic(err)
		}
		return b
	}
	f.Add(attr(unix.NFTA_SET_FLAGS, 0, 0, 0, 4))
	f.Add(attr(unix.NFTA_RULE_EXPRESSIONS, attr(unix.NFTA_LIST_ELEM, bytes.Join([][]byte{
		attr(unix.NFTA_EXPR_NAME, []byte("immediate\x00")...), attr(unix.NFTA_EXPR_DATA, 1, 2, 3, 4),
	}, nil)...)...))
	f.Add(attr(9, 0x45, 0, 0, 20))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = decodeSet(b)
		_, _ = decodeElementList(b)
		_, _, _ = decodeChain(b)
		_ = commentOf(b, 0)
		source := logSource{names: map[uint32]string{}}
		source.decode(b)
		d := ruleDecoder{}
		if _, err := d.message(b); err == nil {
			d.result()
		}
	})
}
