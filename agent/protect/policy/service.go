package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Protocol is what a Service speaks.
type Protocol uint8

// Protocols.
const (
	TCP   Protocol = iota + 1
	UDP            //
	ICMP           // of IPv4; Lo and Hi are types
	ICMP6          // of IPv6
	Echo           // ping, of both: request one way, reply the other
	IP             // a whole IP protocol, both ways; Lo and Hi are its number
	Ether          // frames of one EtherType, both ways
)

// IP protocol numbers (IANA).
const (
	protoICMP  = 1
	protoIGMP  = 2
	protoTCP   = 6
	protoUDP   = 17
	protoICMP6 = 58
)

// Service is a protocol with a port, or a range of them.
type Service struct {
	Proto  Protocol
	Lo, Hi uint16 // inclusive
}

// String writes it as in a policy.
func (s Service) String() string {
	name := [...]string{TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6", Echo: "icmp", IP: "ip", Ether: "ether"}[s.Proto]
	_, top := limits(s.Proto)
	switch {
	case s.Proto == Echo:
		return "icmp/echo"
	case s.Proto == Ether:
		return fmt.Sprintf("ether/0x%04x", s.Lo)
	case s.Lo != s.Hi && s.Hi == top:
		return name + "/any"
	case s.Lo == s.Hi:
		return fmt.Sprintf("%s/%d", name, s.Lo)
	}
	return fmt.Sprintf("%s/%d-%d", name, s.Lo, s.Hi)
}

// MarshalText writes it as in a policy.
func (s Service) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// limits are the smallest and the largest number behind the slash.
func limits(p Protocol) (lo, hi uint16) {
	switch p {
	case TCP, UDP:
		return 1, 65535
	case ICMP, ICMP6, IP:
		return 0, 255
	case Ether:
		return 0x0600, 0xffff // below are lengths (IEEE 802.3)
	}
	return 0, 0
}

// ParseService reads tcp/443, udp/5000-5001, tcp/any, icmp/echo, icmp/13,
// icmp6/128, ip/47, ip/any or ether/0x88f7.
func ParseService(s string) (Service, error) {
	bad := fmt.Errorf("service %q: want tcp/443, udp/5000-5001, tcp/any, icmp/echo, ip/47 or ether/0x88f7", s)
	name, rest, ok := strings.Cut(s, "/")
	if !ok {
		return Service{}, bad
	}
	var svc Service
	switch name {
	case "tcp":
		svc.Proto = TCP
	case "udp":
		svc.Proto = UDP
	case "icmp":
		svc.Proto = ICMP
		if rest == "echo" {
			return Service{Proto: Echo}, nil
		}
	case "icmp6":
		svc.Proto = ICMP6
	case "ip":
		svc.Proto = IP
	case "ether":
		svc.Proto = Ether
	default:
		return Service{}, bad
	}
	lo, hi := limits(svc.Proto)
	if rest == "any" && svc.Proto != Ether {
		svc.Lo, svc.Hi = lo, hi
		return svc, nil
	}
	a, b, ranged := strings.Cut(rest, "-")
	if !ranged {
		b = a
	}
	if ranged && svc.Proto != TCP && svc.Proto != UDP {
		return Service{}, bad
	}
	var err error
	if svc.Lo, err = number(a, svc.Proto); err != nil {
		return Service{}, bad
	}
	if svc.Hi, err = number(b, svc.Proto); err != nil || svc.Lo > svc.Hi || svc.Lo < lo || svc.Hi > hi {
		return Service{}, bad
	}
	if svc.Proto == Ether && (svc.Lo == etherIPv4 || svc.Lo == etherIPv6) {
		return Service{}, fmt.Errorf("service %q: IP is allowed by its own services, as ip/any", s)
	}
	return svc, nil
}

func number(s string, p Protocol) (uint16, error) {
	base := 10
	if p == Ether {
		if !strings.HasPrefix(s, "0x") {
			return 0, strconv.ErrSyntax
		}
		s, base = s[2:], 16
	}
	if len(s) == 0 || s[0] == '+' || s[0] == '-' {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(s, base, 16)
	return uint16(n), err
}
