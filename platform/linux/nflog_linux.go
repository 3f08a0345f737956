package linux

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Messages and attributes of NFLOG (linux/netfilter/nfnetlink_log.h).
const (
	nflogPacket = unix.NFNL_SUBSYS_ULOG << 8
	nflogConfig = unix.NFNL_SUBSYS_ULOG<<8 | 1

	nflogCfgCmd    = 1
	nflogCfgMode   = 2
	nflogCfgThresh = 5
	nflogCfgFlags  = 6

	nflogCmdBind    = 1
	nflogCopyPacket = 2
	nflogFlagSeq    = 1
)

// nflogBuffer holds entries that have not been read yet, in bytes.
const nflogBuffer = 4 << 20

// maxPorts bounds the remembered names of ports.
const maxPorts = 256

var _ platform.LogSource = (*logSource)(nil)

// logSource reads one NFLOG group.
type logSource struct {
	raw    *netlink.Conn
	queue  []platform.LogEntry
	names  map[uint32]string
	next   uint32 // sequence number of the next entry
	lost   atomic.Uint64
	closed atomic.Bool
}

// Logged binds an NFLOG group.
func (f *Firewall) Logged(group uint16) (platform.LogSource, error) {
	raw, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("open nflog group %d: %w", group, err)
	}
	if err := bindLog(raw, group, min(f.buffer, nflogBuffer)); err != nil {
		_ = raw.Close()
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("open nflog group %d: it has another reader: %w", group, err)
		}
		return nil, fmt.Errorf("open nflog group %d: %w", group, err)
	}
	return &logSource{raw: raw, names: map[uint32]string{}}, nil
}

func bindLog(raw *netlink.Conn, group uint16, buffer int) error {
	if err := raw.SetReadBuffer(buffer); err != nil {
		return fmt.Errorf("set read buffer: %w", err)
	}
	// Each entry is sent at once (threshold 1) and numbered. The rule's own
	// snaplen bounds its length.
	config, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: nflogCfgCmd, Data: []byte{nflogCmdBind}},
		{Type: nflogCfgMode, Data: []byte{0, 0, 0xff, 0xff, nflogCopyPacket, 0}},
		{Type: nflogCfgThresh, Data: []byte{0, 0, 0, 1}},
		{Type: nflogCfgFlags, Data: []byte{0, nflogFlagSeq}},
	})
	if err != nil {
		return err
	}
	header := []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, byte(group >> 8), byte(group)}
	_, err = raw.Execute(netlink.Message{
		Header: netlink.Header{Type: nflogConfig, Flags: netlink.Request | netlink.Acknowledge},
		Data:   append(header, config...),
	})
	return err
}

// Next returns the next entry.
func (l *logSource) Next(wait time.Duration) (platform.LogEntry, error) {
	deadline := time.Now().Add(wait)
	for len(l.queue) == 0 {
		if l.closed.Load() {
			return platform.LogEntry{}, platform.ErrClosed
		}
		if err := l.raw.SetReadDeadline(deadline); err != nil && !l.closed.Load() {
			return platform.LogEntry{}, fmt.Errorf("read nflog: %w", err)
		}
		messages, err := l.raw.Receive()
		switch {
		case l.closed.Load():
			return platform.LogEntry{}, platform.ErrClosed
		case errors.Is(err, os.ErrDeadlineExceeded):
			return platform.LogEntry{}, platform.ErrNoFrame
		case errors.Is(err, unix.ENOBUFS):
			continue // the numbers will tell how many
		case err != nil:
			return platform.LogEntry{}, fmt.Errorf("read nflog: %w", err)
		}
		for _, m := range messages {
			if m.Header.Type == nflogPacket && len(m.Data) >= 4 {
				l.decode(m.Data[4:])
			}
		}
	}
	e := l.queue[0]
	l.queue = l.queue[1:]
	return e, nil
}

// Lost counts the gaps in the numbers of the entries.
func (l *logSource) Lost() uint64 { return l.lost.Load() }

// Close frees the group and ends a waiting Next.
func (l *logSource) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	return l.raw.Close()
}

// decode queues the entry of one message. A message that cannot be read is lost.
func (l *logSource) decode(b []byte) {
	var p logPacket
	if err := attributes(b, p.attribute); err != nil {
		l.lost.Add(1)
		return
	}
	if p.numbered {
		l.lost.Add(uint64(p.sequence - l.next))
		l.next = p.sequence + 1
	}
	e := platform.ParseLogEntry(p.link, p.etherType, p.network)
	e.Prefix, e.Time = p.prefix, p.time
	if e.Time == 0 {
		e.Time = time.Now().UnixNano()
	}
	if p.tagged {
		e.VLAN = p.tci & 0xfff
	}
	e.In, e.Out = l.name(p.in), l.name(p.out)
	l.queue = append(l.queue, e)
}

// name finds the name of a port. An index is not used again while the box is up.
func (l *logSource) name(index uint32) string {
	if index == 0 {
		return ""
	}
	name, known := l.names[index]
	if !known {
		if port, err := net.InterfaceByIndex(int(index)); err == nil {
			name = port.Name
			if len(l.names) >= maxPorts {
				clear(l.names)
			}
			l.names[index] = name
		}
	}
	return name
}

// logPacket is an NFLOG message taken apart.
type logPacket struct {
	etherType     uint16
	link, network []byte
	prefix        string
	time          int64
	in, out       uint32 // indices of bridge ports
	tagged        bool
	tci           uint16
	numbered      bool
	sequence      uint32
}

func (p *logPacket) attribute(ad *netlink.AttributeDecoder) error {
	switch ad.Type() {
	case 1: // NFULA_PACKET_HDR
		p.etherType = uint16(number(ad.Bytes(), 0, 2))
	case 3: // NFULA_TIMESTAMP, seconds and microseconds
		p.time = int64(number(ad.Bytes(), 0, 8))*int64(time.Second) + int64(number(ad.Bytes(), 8, 8))*int64(time.Microsecond)
	case 6: // NFULA_IFINDEX_PHYSINDEV
		p.in = ad.Uint32()
	case 7: // NFULA_IFINDEX_PHYSOUTDEV
		p.out = ad.Uint32()
	case 9: // NFULA_PAYLOAD
		p.network = ad.Bytes()
	case 10: // NFULA_PREFIX
		p.prefix = ad.String()
	case 12: // NFULA_SEQ
		p.sequence, p.numbered = ad.Uint32(), true
	case 16: // NFULA_HWHEADER
		p.link = ad.Bytes()
	case 20: // NFULA_VLAN, the tag that the kernel took out of the frame
		return attributes(ad.Bytes(), func(ad *netlink.AttributeDecoder) error {
			if ad.Type() == 2 { // NFULA_VLAN_TCI
				p.tagged, p.tci = true, ad.Uint16()
			}
			return nil
		})
	}
	return nil
}

// number reads a big-endian number; 0 if it is not there.
func number(b []byte, at, size int) (v uint64) {
	if len(b) < at+size {
		return 0
	}
	for _, c := range b[at : at+size] {
		v = v<<8 | uint64(c)
	}
	return v
}
