package dissect

import (
	"bytes"
	"encoding/binary"
)

// DRI is one record of the computer interface of GE/Datex-Ohmeda S/5 and
// CARESCAPE monitors, which comes by a serial line and its device server.
//
// phi: never read: measured values and waves, alarm texts, and of the network
// records all but a monitor's registration; above all patient descriptions.
type DRI struct {
	Record DRIRecord
	Level  uint8 // of the interface, which dates the software: 2 is of 1995, 11 of 2015

	// Of a registration in the network.
	Registered bool
	MAC        [6]byte
	DeviceType uint16 // 2 anaesthesia, 10 intensive care, …

	// Next is where in the stream the bytes after this frame begin, once Done.
	Next int
}

// DRIRecord is the main type of a record.
type DRIRecord uint8

// Records. The zero value is none of them.
const (
	_          DRIRecord = iota
	DRIValues            // measured values, displayed or trended
	DRIWave              // waveforms
	DRIAlarm             // alarm state
	DRINetwork           // who is in the network
	DRIFO                // of the anaesthesia record
	DRIRequest           // for one of these; the collector sends it
)

// String names the record; "" for none.
func (r DRIRecord) String() string {
	switch r {
	case DRIValues:
		return "values"
	case DRIWave:
		return "wave"
	case DRIAlarm:
		return "alarm"
	case DRINetwork:
		return "network"
	case DRIFO:
		return "fo"
	case DRIRequest:
		return "request"
	}
	return ""
}

// Framing and layout of a record, little-endian, offsets in bytes.
const (
	driFlag   = 0x7e
	driEscape = 0x7d
	driWindow = 2 << 10 // bytes of the longest record that is looked at

	driHeader    = 40
	driLength    = 0
	driLevel     = 3
	driMain      = 14
	driSubs      = 16 // eight of them: offset, type
	driSubLen    = 3
	driSubAsk    = 0 // of values, waves and alarms: they are asked for
	driSubEnd    = 0xff
	driRegLen    = 10
	driRegDevice = 6
	driMaxLevel  = 15
)

// driReader takes the bytes of a frame off the wire.
type driReader struct {
	b   []byte
	at  int
	bad bool // an escape of something that needs none
}

// next is the next byte; false at the flag, at the end, or where it is bad.
func (r *driReader) next() (c byte, ok bool) {
	if r.at >= len(r.b) || r.b[r.at] == driFlag {
		return 0, false
	}
	c = r.b[r.at]
	if c != driEscape {
		r.at++
		return c, true
	}
	if r.at+1 >= len(r.b) {
		return 0, false
	}
	c = r.b[r.at+1]
	if c != 0x5e && c != 0x5d {
		r.bad = true
		return 0, false
	}
	r.at += 2
	return c ^ 0x20, true
}

// driStart passes over the flags in front of a frame.
func driStart(b []byte) int {
	n := 0
	for n < len(b) && b[n] == driFlag {
		n++
	}
	return n
}

// isDRI looks at the header of the frame at the start of b, as far as it goes.
func isDRI(b []byte) bool {
	r := driReader{b: b, at: driStart(b)}
	var head [driSubs]byte
	n := 0
	for n < len(head) {
		c, ok := r.next()
		if !ok {
			break
		}
		head[n] = c
		n++
	}
	return !r.bad && (n == len(head) || r.at+1 >= len(b)) && driPlausible(head[:n])
}

// resyncDRI finds the first frame of b behind the end of another, and returns
// where it begins; 0 for nowhere.
func resyncDRI(b []byte) int {
	for at := 0; ; {
		next := bytes.Index(b[at:], []byte{driFlag, driFlag})
		if at += next; next < 0 {
			return 0
		}
		rest := b[at+1:]
		if len(rest) > driSubs && isDRI(rest) {
			return at + 1
		}
		at += 1 + driStart(rest) // past the flags: each is looked at once
	}
}

// driPlausible checks the fields of a header that are there.
func driPlausible(head []byte) bool {
	if n := len(head); n >= driLength+2 {
		if size := binary.LittleEndian.Uint16(head); size < driHeader || size >= driWindow {
			return false
		}
		if n > driLevel && (head[driLevel] == 0 || head[driLevel] > driMaxLevel) {
			return false
		}
		if n >= driMain+2 && driRecord(binary.LittleEndian.Uint16(head[driMain:])) == 0 {
			return false
		}
	}
	return true
}

func driRecord(main uint16) DRIRecord {
	switch main {
	case 0:
		return DRIValues
	case 1:
		return DRIWave
	case 4:
		return DRIAlarm
	case 5:
		return DRINetwork
	case 8:
		return DRIFO
	}
	return 0
}

// DecodeStream reads the frame at the start of b, whose flag comes first. With
// Done, go on at b[m.Next:].
func (m *DRI) DecodeStream(b []byte) Progress {
	start := driStart(b)
	if start == 0 && len(b) > 0 || !isDRI(b) {
		return No
	}
	*m = DRI{}
	var head [driHeader]byte
	var reg [driRegLen]byte
	r, regAt := driReader{b: b[:min(len(b), driWindow)], at: start}, -1
	n, sum, last := 0, byte(0), byte(0) // last is the checksum, once it is the last
	for {
		c, ok := r.next()
		if !ok {
			break
		}
		if n > 0 {
			sum += last
		}
		last = c
		if n < driHeader {
			if head[n] = c; n == driHeader-1 {
				regAt = driRegistration(head[:])
			}
		} else if regAt >= 0 && n >= regAt && n < regAt+driRegLen {
			reg[n-regAt] = c
		}
		n++
	}
	switch {
	case r.bad:
		return No
	case r.at >= len(r.b)-1 && (r.at >= len(r.b) || r.b[r.at] != driFlag):
		if len(b) >= driWindow {
			return No
		}
		return NeedMore
	}
	size := n - 1
	length := int(binary.LittleEndian.Uint16(head[driLength:]))
	if size < driHeader || sum != last || length > size {
		return No
	}
	m.Record, m.Level = driRecord(binary.LittleEndian.Uint16(head[driMain:])), head[driLevel]
	if asksDRI(m.Record, head[driSubs+2]) {
		m.Record = DRIRequest
	}
	if regAt >= driHeader && regAt+driRegLen <= length {
		m.Registered, m.MAC, m.DeviceType = true, [6]byte(reg[:]), binary.LittleEndian.Uint16(reg[driRegDevice:])
	}
	m.Next = r.at + 1
	return Done
}

// asksDRI reports a record that asks for values, waves or alarms, by the type of
// its first subrecord: such a one has no data of the kind, or none at all.
func asksDRI(r DRIRecord, sub uint8) bool {
	switch r {
	case DRIValues, DRIWave, DRIAlarm:
		return sub == driSubAsk || sub == driSubEnd
	}
	return false
}

// driRegistration is where in a network record a registration begins, -1 where
// it has none.
func driRegistration(head []byte) int {
	if driRecord(binary.LittleEndian.Uint16(head[driMain:])) != DRINetwork {
		return -1
	}
	for at := driSubs; at+driSubLen <= driHeader; at += driSubLen {
		switch head[at+2] {
		case driSubEnd:
			return -1
		case 0:
			return driHeader + int(binary.LittleEndian.Uint16(head[at:]))
		}
	}
	return -1
}
