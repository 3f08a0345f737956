package dissect

// uidSize is the longest UID (DICOM PS3.5 §9.1).
const uidSize = 64

// UID is a DICOM unique identifier: digits and dots only, so it can hold no
// other text. The zero value is none.
type UID struct {
	n uint8
	b [uidSize]byte
}

// String returns the UID. It allocates.
func (u UID) String() string { return string(u.b[:u.n]) }

// IsZero reports whether nothing was read.
func (u *UID) IsZero() bool { return u.n == 0 }

// AppendTo appends the UID to dst without another allocation.
func (u *UID) AppendTo(dst []byte) []byte { return append(dst, u.b[:u.n]...) }

// HasPrefix reports whether the UID is prefix or lies below it.
func (u *UID) HasPrefix(prefix string) bool {
	n := len(prefix)
	return n <= int(u.n) && string(u.b[:n]) == prefix && (n == int(u.n) || u.b[n] == '.')
}

// set replaces the UID by src without its padding, or by none if src is not one.
func (u *UID) set(src []byte) {
	*u = UID{}
	src = trim(src)
	if len(src) > uidSize {
		return
	}
	for _, c := range src {
		if c != '.' && (c < '0' || c > '9') {
			return
		}
	}
	u.n = uint8(copy(u.b[:], src))
}
