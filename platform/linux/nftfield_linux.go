package linux

import (
	"encoding/binary"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// loadOf is the expression that reads a field into a register. Every field is
// read as it is: nothing here adds a match on a protocol behind the caller's
// back (nft's own "ether type" does not match VLAN-tagged frames).
func loadOf(f platform.Field, register uint32) expr.Any {
	meta := func(key expr.MetaKey) expr.Any { return &expr.Meta{Key: key, Register: register} }
	payload := func(base expr.PayloadBase, offset uint32) expr.Any {
		return &expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: uint32(f.Len())}
	}
	const link, network, transport = expr.PayloadBaseLLHeader, expr.PayloadBaseNetworkHeader, expr.PayloadBaseTransportHeader
	switch f {
	case platform.MetaProtocol:
		return meta(expr.MetaKeyPROTOCOL)
	case platform.MetaL4Proto:
		return meta(expr.MetaKeyL4PROTO)
	case platform.MetaIIFName:
		return meta(expr.MetaKeyIIFNAME)
	case platform.MetaOIFName:
		return meta(expr.MetaKeyOIFNAME)
	case platform.MetaIIFType:
		return meta(expr.MetaKeyIIFTYPE)
	case platform.MetaPktType:
		return meta(expr.MetaKeyPKTTYPE)
	case platform.EtherDaddr:
		return payload(link, 0)
	case platform.EtherSaddr:
		return payload(link, 6)
	case platform.ARPOp, platform.IPv4FragOff: // RFC 826, RFC 791 §3.1
		return payload(network, 6)
	case platform.ARPSenderHW, platform.IPv6Saddr: // RFC 826, RFC 8200 §3
		return payload(network, 8)
	case platform.ARPSenderIP:
		return payload(network, 14)
	case platform.ARPTargetIP, platform.IPv6Daddr:
		return payload(network, 24)
	case platform.IPv4Saddr:
		return payload(network, 12)
	case platform.IPv4Daddr:
		return payload(network, 16)
	case platform.IPv6FragOff: // RFC 8200 §4.5
		return &expr.Exthdr{DestRegister: register, Type: unix.IPPROTO_FRAGMENT, Offset: 2, Len: 2, Op: expr.ExthdrOpIpv6}
	case platform.THSport, platform.ICMPType, platform.ICMPv6Type:
		return payload(transport, 0)
	case platform.THDport:
		return payload(transport, 2)
	case platform.NDTarget: // RFC 4861 §4.3, §4.4
		return payload(transport, 8)
	case platform.TCPFlags: // RFC 9293 §3.1
		return payload(transport, 13)
	}
	return nil
}

// lastField is the highest of platform's fields.
const lastField = platform.ICMPv6Type

// fieldOf finds the field that an expression reads, and its register. Of two
// fields that are the same bytes it returns the first.
func fieldOf(e expr.Any) (f platform.Field, register uint32, ok bool) {
	switch l := e.(type) {
	case *expr.Meta:
		register, ok = l.Register, !l.SourceRegister
	case *expr.Payload:
		register, ok = l.DestRegister, l.OperationType == expr.PayloadLoad
	case *expr.Exthdr:
		register, ok = l.DestRegister, l.SourceRegister == 0
	}
	if !ok {
		return 0, 0, false
	}
	for f = 1; f <= lastField; f++ {
		if sameLoad(e, loadOf(f, register)) {
			return f, register, true
		}
	}
	return 0, 0, false
}

func sameLoad(a, b expr.Any) bool {
	switch a := a.(type) {
	case *expr.Meta:
		b, ok := b.(*expr.Meta)
		return ok && *a == *b
	case *expr.Payload:
		b, ok := b.(*expr.Payload)
		return ok && *a == *b
	case *expr.Exthdr:
		b, ok := b.(*expr.Exthdr)
		return ok && *a == *b
	}
	return false
}

// datatypeOf is nft's type of a field, for anonymous sets and for those who list
// the table with nft.
func datatypeOf(f platform.Field) nftables.SetDatatype {
	switch f {
	case platform.MetaProtocol:
		return nftables.TypeEtherType
	case platform.MetaL4Proto:
		return nftables.TypeInetProto
	case platform.MetaIIFName, platform.MetaOIFName:
		return nftables.TypeIFName
	case platform.MetaIIFType:
		return nftables.TypeARPHRD
	case platform.MetaPktType:
		return nftables.TypePktType
	case platform.EtherSaddr, platform.EtherDaddr, platform.ARPSenderHW:
		return nftables.TypeEtherAddr
	case platform.ARPOp:
		return nftables.TypeARPOp
	case platform.ARPSenderIP, platform.ARPTargetIP, platform.IPv4Saddr, platform.IPv4Daddr:
		return nftables.TypeIPAddr
	case platform.IPv6Saddr, platform.IPv6Daddr, platform.NDTarget:
		return nftables.TypeIP6Addr
	case platform.THSport, platform.THDport:
		return nftables.TypeInetService
	case platform.TCPFlags:
		return nftables.TypeTCPFlag
	case platform.ICMPType:
		return nftables.TypeICMPType
	case platform.ICMPv6Type:
		return nftables.TypeICMP6Type
	}
	number := nftables.TypeInteger // fragment offsets
	number.Bytes = uint32(f.Len())
	return number
}

// keyDatatype is nft's type of a key field.
func keyDatatype(k platform.KeyType) nftables.SetDatatype {
	switch k {
	case platform.KeyEtherAddr:
		return nftables.TypeEtherAddr
	case platform.KeyIPv4:
		return nftables.TypeIPAddr
	case platform.KeyIPv6:
		return nftables.TypeIP6Addr
	case platform.KeyProto:
		return nftables.TypeInetProto
	case platform.KeyService:
		return nftables.TypeInetService
	case platform.KeyIfName:
		return nftables.TypeIFName
	case platform.KeyIfType:
		return nftables.TypeARPHRD
	case platform.KeyEtherType:
		return nftables.TypeEtherType
	case platform.KeyICMPType:
		return nftables.TypeICMPType
	}
	return nftables.TypeInvalid
}

// lastKeyType is the highest of platform's key types.
const lastKeyType = platform.KeyICMPType

// keyTypesOf undoes the kernel's packing of key types, 6 bits each, the last
// field lowest; nil if one is not in our vocabulary.
func keyTypesOf(magic uint32) []platform.KeyType {
	var types []platform.KeyType
	for ; magic != 0; magic >>= nftables.SetConcatTypeBits {
		found := false
		for k := platform.KeyType(1); k <= lastKeyType && !found; k++ {
			dt := keyDatatype(k)
			if found = dt.GetNFTMagic() == magic&nftables.SetConcatTypeMask; found {
				types = append(types, k)
			}
		}
		if !found {
			return nil
		}
	}
	slices.Reverse(types)
	return types
}

// hostOrder turns a value between network order and the kernel's: the type of
// an interface is the one number that nftables keeps in host order. It is its
// own inverse.
func hostOrder(f platform.Field, value string) []byte {
	b := []byte(value)
	if f == platform.MetaIIFType && len(b) == 2 {
		binary.NativeEndian.PutUint16(b, binary.BigEndian.Uint16(b))
	}
	return b
}
