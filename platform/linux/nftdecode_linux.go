package linux

import (
	"encoding/binary"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Attributes that x/sys does not name (linux/netfilter/nf_tables.h).
const (
	nftaSetExpr    = 17
	nftaElemKeyEnd = 10
)

// attributes calls f with each attribute of b.
func attributes(b []byte, f func(*netlink.AttributeDecoder) error) error {
	ad, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return err
	}
	ad.ByteOrder = binary.BigEndian
	for ad.Next() {
		if err := f(ad); err != nil {
			return err
		}
	}
	return ad.Err()
}

// shape is a set without its elements.
type shape struct {
	platform.Set
	anonymous bool
}

func decodeSet(b []byte) (shape, error) {
	var s shape
	err := attributes(b, func(ad *netlink.AttributeDecoder) error {
		switch ad.Type() {
		case unix.NFTA_SET_NAME:
			s.Name = ad.String()
		case unix.NFTA_SET_FLAGS:
			flags := ad.Uint32()
			s.anonymous = flags&unix.NFT_SET_ANONYMOUS != 0
			s.Map = flags&unix.NFT_SET_MAP != 0
			s.Interval = flags&unix.NFT_SET_INTERVAL != 0
			s.Timeout = flags&unix.NFT_SET_TIMEOUT != 0
		case unix.NFTA_SET_KEY_TYPE:
			s.Key = keyTypesOf(ad.Uint32())
		case unix.NFTA_SET_USERDATA:
			s.Comment = commentOf(ad.Bytes(), setComment)
		case nftaSetExpr:
			s.Counter = true
		case unix.NFTA_SET_DESC:
			return attributes(ad.Bytes(), func(ad *netlink.AttributeDecoder) error {
				if ad.Type() == unix.NFTA_SET_DESC_SIZE {
					s.Size = ad.Uint32()
				}
				return nil
			})
		}
		return nil
	})
	return s, err
}

// element is an element as the kernel lists it.
type element struct {
	nftables.SetElement
	verdict        platform.Verdict
	packets, bytes uint64
}

func decodeElementList(b []byte) ([]element, error) {
	var out []element
	err := attributes(b, func(ad *netlink.AttributeDecoder) error {
		if ad.Type() != unix.NFTA_SET_ELEM_LIST_ELEMENTS {
			return nil
		}
		return attributes(ad.Bytes(), func(ad *netlink.AttributeDecoder) error {
			e, err := decodeElement(ad.Bytes())
			out = append(out, e)
			return err
		})
	})
	return out, err
}

func decodeElement(b []byte) (element, error) {
	var e element
	err := attributes(b, func(ad *netlink.AttributeDecoder) (err error) {
		switch ad.Type() {
		case unix.NFTA_SET_ELEM_KEY:
			e.Key, err = dataValue(ad.Bytes())
		case nftaElemKeyEnd:
			e.KeyEnd, err = dataValue(ad.Bytes())
		case unix.NFTA_SET_ELEM_DATA:
			e.verdict, err = dataVerdict(ad.Bytes())
		case unix.NFTA_SET_ELEM_FLAGS:
			e.IntervalEnd = ad.Uint32()&unix.NFT_SET_ELEM_INTERVAL_END != 0
		case unix.NFTA_SET_ELEM_TIMEOUT:
			e.Timeout = time.Duration(ad.Uint64()) * time.Millisecond
		case unix.NFTA_SET_ELEM_EXPIRATION:
			e.Expires = time.Duration(ad.Uint64()) * time.Millisecond
		case unix.NFTA_SET_ELEM_EXPR:
			name, data, err := splitExpr(ad.Bytes())
			if err != nil || name != "counter" {
				return err
			}
			var c expr.Counter
			if err := expr.Unmarshal(0, data, &c); err != nil {
				return err
			}
			e.packets, e.bytes = c.Packets, c.Bytes
		}
		return err
	})
	return e, err
}

func dataValue(b []byte) (value []byte, err error) {
	err = attributes(b, func(ad *netlink.AttributeDecoder) error {
		if ad.Type() == unix.NFTA_DATA_VALUE {
			value = ad.Bytes()
		}
		return nil
	})
	return value, err
}

func dataVerdict(b []byte) (v platform.Verdict, err error) {
	err = attributes(b, func(ad *netlink.AttributeDecoder) error {
		if ad.Type() != unix.NFTA_DATA_VERDICT {
			return nil
		}
		var kind expr.VerdictKind
		var chain string
		err := attributes(ad.Bytes(), func(ad *netlink.AttributeDecoder) error {
			switch ad.Type() {
			case unix.NFTA_VERDICT_CODE:
				kind = expr.VerdictKind(int32(ad.Uint32()))
			case unix.NFTA_VERDICT_CHAIN:
				chain = ad.String()
			}
			return nil
		})
		v = decodeVerdict(kind, chain)
		return err
	})
	return v, err
}

// splitExpr takes a list element apart into its name and its data.
func splitExpr(b []byte) (name string, data []byte, err error) {
	err = attributes(b, func(ad *netlink.AttributeDecoder) error {
		switch ad.Type() {
		case unix.NFTA_EXPR_NAME:
			name = ad.String()
		case unix.NFTA_EXPR_DATA:
			data = ad.Bytes()
		}
		return nil
	})
	return name, data, err
}

// decodeElements translates the elements of a named set. A set whose key is not
// in our vocabulary has no elements that could be told.
func decodeElements(set platform.Set, elements []element) []platform.Element {
	if len(set.Key) == 0 {
		return nil
	}
	if set.Interval && len(set.Key) == 1 {
		elements = pairRanges(elements)
	}
	var out []platform.Element
	for _, e := range elements {
		key, ok := decodeKey(set.Key, e.Key)
		if !ok {
			continue
		}
		p := platform.Element{
			Key: key, Verdict: e.verdict, Packets: e.packets, Bytes: e.bytes,
			Timeout: e.Timeout.Milliseconds(), Expires: e.Expires.Milliseconds(),
		}
		if end, ok := decodeKey(set.Key, e.KeyEnd); ok && end != key {
			p.KeyEnd = end
		}
		out = append(out, p)
	}
	return out
}

func decodeChain(b []byte) (table string, c platform.Chain, err error) {
	var hook platform.Hook
	base := false
	err = attributes(b, func(ad *netlink.AttributeDecoder) error {
		switch ad.Type() {
		case unix.NFTA_CHAIN_TABLE:
			table = ad.String()
		case unix.NFTA_CHAIN_NAME:
			c.Name = ad.String()
		case unix.NFTA_CHAIN_POLICY:
			hook.Drop = ad.Uint32() == uint32(nftables.ChainPolicyDrop)
		case unix.NFTA_CHAIN_HOOK:
			base = true
			return attributes(ad.Bytes(), func(ad *netlink.AttributeDecoder) error {
				switch ad.Type() {
				case unix.NFTA_HOOK_HOOKNUM:
					hook.Point = hookPoint(ad.Uint32())
				case unix.NFTA_HOOK_PRIORITY:
					hook.Priority = int32(ad.Uint32())
				}
				return nil
			})
		}
		return nil
	})
	if base {
		c.Hook = &hook
	}
	return table, c, err
}

// hookPoint returns 0 for a hook that is not in our vocabulary. The bridge
// family numbers its hooks as the inet family does.
func hookPoint(n uint32) platform.HookPoint {
	switch n {
	case unix.NF_INET_PRE_ROUTING:
		return platform.HookPrerouting
	case unix.NF_INET_FORWARD:
		return platform.HookForward
	}
	return 0
}
