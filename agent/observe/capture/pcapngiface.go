package capture

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Options of an interface description (draft-ietf-opsawg-pcapng §4.2).
const (
	ngOptEnd      = 0
	ngOptTSResol  = 9
	ngOptTSOffset = 14
)

// ngIface is one interface of a section.
type ngIface struct {
	link    platform.LinkType // 0: foreign, or PPI
	number  uint16            // as in the file
	snaplen uint32
	units   uint64 // of the time stamps, per second
	offset  int64  // added to the time stamps, seconds
}

// iface reads an interface description of body bytes.
func (p *pcapng) iface(in *input, body int64) error {
	if body < 8 || body > 8+ngMaxOptions {
		return fmt.Errorf("interface description of %d bytes is impossible", body+ngMinBlock)
	}
	if len(p.ifs) == ngMaxInterfaces {
		return fmt.Errorf("more than %d interfaces in one section", ngMaxInterfaces)
	}
	b, err := in.within(int(body))
	if err != nil {
		return err
	}
	i := ngIface{number: p.order.Uint16(b), snaplen: p.order.Uint32(b[4:]), units: 1e6}
	i.link, _ = linkOf(i.number)
	for b = b[8:]; len(b) >= 4; {
		code, n := p.order.Uint16(b), int(p.order.Uint16(b[2:]))
		if code == ngOptEnd || 4+n > len(b) {
			break
		}
		switch v := b[4 : 4+n]; {
		case code == ngOptTSResol && n == 1:
			if i.units = unitsOf(v[0]); i.units == 0 {
				return fmt.Errorf("time resolution %#02x is impossible", v[0])
			}
		case code == ngOptTSOffset && n == 8:
			i.offset = int64(p.order.Uint64(v))
		}
		b = b[min(4+(n+3)&^3, len(b)):]
	}
	p.ifs = append(p.ifs, i)
	return nil
}

// unitsOf reads if_tsresol: a negative power of 2 or of 10; 0 if too fine.
func unitsOf(v uint8) uint64 {
	if v&0x80 != 0 {
		if v&0x7f > 63 {
			return 0
		}
		return 1 << (v & 0x7f)
	}
	if v > 19 {
		return 0
	}
	u := uint64(1)
	for range v {
		u *= 10
	}
	return u
}

// nanoseconds turns a time stamp into wall time; what does not fit is 0.
func (i *ngIface) nanoseconds(ts uint64) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	hi, lo := bits.Mul64(ts, uint64(time.Second))
	if hi >= i.units || i.offset > most || i.offset < -most {
		return 0
	}
	ns, _ := bits.Div64(hi, lo, i.units)
	if ns > math.MaxInt64 {
		return 0
	}
	return max(int64(ns)+i.offset*int64(time.Second), 0) // a sum that is too large wraps
}
