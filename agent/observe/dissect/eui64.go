package dissect

// EUI64 is a device's 64-bit identifier (IEEE EUI-64). All zero means none.
type EUI64 [8]byte

// IsZero reports whether nothing was read.
func (e EUI64) IsZero() bool { return e == EUI64{} }

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
