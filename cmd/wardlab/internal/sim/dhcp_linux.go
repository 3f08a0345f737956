package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// Ports of DHCP.
const (
	dhcpServer = 67
	dhcpClient = 68
)

// dhcpStyle is how a kind of host asks; it is what tells an operating system.
type dhcpStyle struct {
	vendorClass string
	params      []byte
	maxSize     uint16
	fqdn        bool
}

// style of a part: Windows for PCs and the ultrasound's console, busybox udhcpc
// for the pump's communicator, HP's own client for the printer; the monitor
// sends no vendor class.
func style(m cast.Member) dhcpStyle {
	switch m.Part {
	case cast.Pump:
		return dhcpStyle{vendorClass: "udhcp 1.22.1", params: []byte{1, 3, 6, 12, 15, 28, 42}, maxSize: 576}
	case cast.Monitor:
		return dhcpStyle{params: []byte{1, 3, 28, 43}, maxSize: 590}
	case cast.Printer:
		return dhcpStyle{vendorClass: fmt.Sprintf("Mfg=Hewlett Packard;Typ=Printer;Mod=%s;Ser=%s;", m.Model, m.Serial),
			params: []byte{6, 3, 1, 15, 66, 67, 13, 44, 12, 81, 252}}
	}
	return dhcpStyle{vendorClass: "MSFT 5.0", fqdn: true,
		params: []byte{1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252}}
}

// request is the client's message of a type.
func (st dhcpStyle) request(m cast.Member, typ byte, xid uint32) wire.DHCP {
	d := wire.DHCP{Type: typ, Xid: xid, Client: m.MAC, Host: m.Name, VendorClass: st.vendorClass, Params: st.params, MaxSize: st.maxSize}
	if st.fqdn && typ == wire.DHCPRequest {
		d.FQDN = m.Name
	}
	return d
}

// Join gets a host its address from the lab's DHCP server, as the host would,
// and configures its card with it.
func (s *Stage) Join(ctx context.Context, p cast.Part) error {
	h := s.host(p)
	raw, err := h.Raw(wire.EtherIPv4)
	if err != nil {
		return err
	}
	defer raw.Close()
	st := style(h.Member)
	var ack wire.DHCP
	for attempt := 1; ; attempt++ {
		ack, err = lease(raw, h, st)
		if err == nil {
			break
		}
		if ctx.Err() != nil || attempt == 5 {
			return fmt.Errorf("%v: dhcp, attempt %d: %w", p, attempt, err)
		}
	}
	bits := 0
	for _, b := range ack.Mask.As4() {
		for ; b != 0; b <<= 1 {
			bits++
		}
	}
	if err := h.AddAddr(netip.PrefixFrom(ack.YourIP, bits)); err != nil {
		return err
	}
	if err := h.DefaultRoute(ack.Router); err != nil {
		return err
	}
	return announce(h)
}

// errNak says that the server refused.
var errNak = errors.New("server refused the address")

// lease runs DISCOVER, OFFER, REQUEST, ACK.
func lease(raw *ward.Raw, h *ward.Host, st dhcpStyle) (wire.DHCP, error) {
	xid := rand.Uint32()
	offer, err := exchange(raw, h, st.request(h.Member, wire.DHCPDiscover, xid))
	if err != nil {
		return wire.DHCP{}, fmt.Errorf("discover: %w", err)
	}
	req := st.request(h.Member, wire.DHCPRequest, xid)
	req.Requested, req.ServerID = offer.YourIP, offer.ServerID
	ack, err := exchange(raw, h, req)
	if err != nil {
		return wire.DHCP{}, fmt.Errorf("request: %w", err)
	}
	if ack.Type != wire.DHCPAck || !ack.Mask.IsValid() || !ack.Router.IsValid() {
		return wire.DHCP{}, errNak
	}
	return ack, nil
}

// exchange broadcasts a message from 0.0.0.0 and waits for the answer to it.
func exchange(raw *ward.Raw, h *ward.Host, d wire.DHCP) (wire.DHCP, error) {
	zero, all := netip.IPv4Unspecified(), netip.AddrFrom4([4]byte{255, 255, 255, 255})
	packet := wire.UDP4(netip.AddrPortFrom(zero, dhcpClient), netip.AddrPortFrom(all, dhcpServer), d.Marshal())
	if err := raw.Write(wire.Ethernet(wire.BroadcastMAC(), h.MAC, wire.EtherIPv4, packet)); err != nil {
		return wire.DHCP{}, fmt.Errorf("send: %w", err)
	}
	if err := raw.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return wire.DHCP{}, err
	}
	b := make([]byte, 1600)
	for {
		n, outgoing, err := raw.Read(b)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return wire.DHCP{}, errors.New("no answer within 2 s")
			}
			return wire.DHCP{}, err
		}
		// 14 Ethernet, 20 IPv4 without options, 8 UDP.
		if outgoing || n < 42 || b[14] != 0x45 || b[23] != 17 || binary.BigEndian.Uint16(b[36:]) != dhcpClient {
			continue
		}
		r, err := wire.ParseDHCP(b[42:n])
		if err == nil && r.Reply && r.Xid == d.Xid && r.Client == d.Client {
			return r, nil
		}
	}
}

// announce tells the neighbours the new address (RFC 5227 2.3).
func announce(h *ward.Host) error {
	raw, err := h.Raw(wire.EtherARP)
	if err != nil {
		return err
	}
	defer raw.Close()
	a := wire.ARP{Op: wire.ARPRequest, SHA: h.MAC, SPA: h.Addr, TPA: h.Addr}
	return raw.Write(wire.Ethernet(wire.BroadcastMAC(), h.MAC, wire.EtherARP, a.Marshal()))
}

// DHCPServer answers on the uplink until ctx ends: each host of the cast has its
// reserved address, as hospitals do it for devices.
func (s *Stage) DHCPServer(ctx context.Context) error {
	c, err := s.host(cast.Infra).ListenUDP(ctx, dhcpServer)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	server := s.host(cast.Infra).Addr
	b := make([]byte, 1600)
	for {
		n, _, err := c.ReadFromUDP(b)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("dhcp server: %w", err)
		}
		d, err := wire.ParseDHCP(b[:n])
		m, known := s.Ward.Cast.ByMAC(d.Client)
		if err != nil || d.Reply || !known {
			continue
		}
		r := wire.DHCP{Reply: true, Xid: d.Xid, Client: d.Client, YourIP: m.Addr, ServerID: server,
			Mask: netip.AddrFrom4([4]byte{255, 255, 255, 0}), Router: server, DNS: server, LeaseS: 86400}
		switch d.Type {
		case wire.DHCPDiscover:
			r.Type = wire.DHCPOffer
		case wire.DHCPRequest:
			r.Type = wire.DHCPAck
		default:
			continue
		}
		if _, err := c.WriteToUDP(r.Marshal(), &net.UDPAddr{IP: net.IPv4bcast, Port: dhcpClient}); err != nil && ctx.Err() == nil {
			return fmt.Errorf("dhcp server: answer: %w", err)
		}
	}
}
