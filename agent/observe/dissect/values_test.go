package dissect

// TextOf returns s sanitised as a Text.
func TextOf(s string) (t Text) {
	t.n = uint8(sanitise(t.b[:], trim([]byte(s))))
	return t
}

// NameOf returns s, a dotted name, sanitised as a Name.
func NameOf(s string) (n Name) {
	n.set([]byte(s))
	return n
}

// UIDOf returns s as a UID, or none when it is not one.
func UIDOf(s string) (u UID) {
	u.set([]byte(s))
	return u
}
