package dissect

// EUI64 is a device's 64-bit identifier (IEEE EUI-64). All zero means none.
type EUI64 [8]byte

// IsZero reports whether nothing was read.
func (e EUI64) IsZero() bool { return e == EUI64{} }

// MAC returns the MAC address from which the identifier was made: FF-FE (IEEE
// guidelines) or, as Philips monitors do, FF-FF stands in the middle.
func (e EUI64) MAC() (mac [6]byte, ok bool) {
	if e[3] != 0xff || e[4] < 0xfe || e.IsZero() {
		return mac, false
	}
	return [6]byte{e[0], e[1], e[2], e[5], e[6], e[7]}, true
}

// parseEUI64 reads 16 hexadecimal digits, with '-' or ':' between them or not.
func parseEUI64(s []byte) (e EUI64, ok bool) {
	n := 0
	for _, c := range s {
		if c == '-' || c == ':' {
			continue
		}
		d := hexDigit(c)
		if d > 15 {
			return EUI64{}, false
		}
		if n == 16 {
			return EUI64{}, false
		}
		e[n/2] = e[n/2]<<4 | d
		n++
	}
	if n != 16 {
		return EUI64{}, false
	}
	return e, true
}

// hexDigit returns the value of a hexadecimal digit, or 255.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
