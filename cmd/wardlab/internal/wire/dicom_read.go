package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// PDU is one protocol data unit of a DICOM connection.
type PDU struct {
	Type byte
	Body []byte
}

// pduLimit bounds what ReadPDU takes from a peer.
const pduLimit = 1 << 20

// Errors of the DICOM reader.
var (
	errPDULong  = errors.New("dicom pdu longer than 1 MiB")
	errAssoc    = errors.New("dicom association request cut short")
	errPDV      = errors.New("dicom data value cut short")
	errNoResult = errors.New("dicom command set without command field")
)

// ReadPDU reads one PDU.
func ReadPDU(r io.Reader) (PDU, error) {
	var h [6]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return PDU{}, err
	}
	n := binary.BigEndian.Uint32(h[2:])
	if n > pduLimit {
		return PDU{}, errPDULong
	}
	p := PDU{Type: h[0], Body: make([]byte, n)}
	if _, err := io.ReadFull(r, p.Body); err != nil {
		return PDU{}, fmt.Errorf("read dicom pdu of %d octets: %w", n, err)
	}
	return p, nil
}

// ParseRequest reads the titles and the presentation context ids of the body of
// an A-ASSOCIATE-RQ.
func ParseRequest(body []byte) (a Association, contexts []byte, err error) {
	if len(body) < 68 {
		return Association{}, nil, errAssoc
	}
	a.Called, a.Calling = strings.TrimRight(string(body[4:20]), " "), strings.TrimRight(string(body[20:36]), " ")
	for b := body[68:]; len(b) > 0; {
		if len(b) < 4 {
			return Association{}, nil, errAssoc
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+n {
			return Association{}, nil, errAssoc
		}
		if b[0] == 0x20 && n >= 1 {
			contexts = append(contexts, b[4])
		}
		b = b[4+n:]
	}
	return a, contexts, nil
}

// Value is one presentation data value.
type Value struct {
	Context byte
	Command bool
	Last    bool
	Data    []byte
}

// Values splits a P-DATA PDU.
func Values(body []byte) ([]Value, error) {
	var out []Value
	for b := body; len(b) > 0; {
		if len(b) < 6 {
			return nil, errPDV
		}
		n := binary.BigEndian.Uint32(b)
		if n < 2 || uint64(n) > uint64(len(b)-4) {
			return nil, errPDV
		}
		out = append(out, Value{Context: b[4], Command: b[5]&1 != 0, Last: b[5]&2 != 0, Data: b[6 : 4+n]})
		b = b[4+n:]
	}
	return out, nil
}

// Command is what a peer must know of a command set.
type Command struct {
	Field   uint16
	Message uint16 // id; of the request, in a response
	DataSet bool   // a data set follows
	Class   string
}

// ParseCommand reads an implicit little-endian command set.
func ParseCommand(b []byte) (Command, error) {
	var c Command
	seen := false
	for len(b) >= 8 {
		elem, n := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:])
		if uint64(n) > uint64(len(b)-8) {
			return Command{}, errPDV
		}
		v := b[8 : 8+n]
		b = b[8+n:]
		var u uint16
		if len(v) == 2 {
			u = binary.LittleEndian.Uint16(v)
		}
		switch elem {
		case 0x0002, 0x0003: // affected, requested
			c.Class = strings.TrimRight(string(v), "\x00")
		case 0x0100:
			c.Field, seen = u, true
		case 0x0110, 0x0120:
			c.Message = u
		case 0x0800:
			c.DataSet = u != noDataSet
		}
	}
	if !seen {
		return Command{}, errNoResult
	}
	return c, nil
}

// Success answers a command with status 0000.
func Success(context byte, c Command) []byte {
	return dataPDU(context, 3, command(
		element(0, 0x0002, []byte(c.Class)),
		element(0, 0x0100, le16(c.Field|commandResponse)),
		element(0, 0x0120, le16(c.Message)),
		element(0, 0x0800, le16(noDataSet)),
		element(0, 0x0900, le16(0)),
	))
}
