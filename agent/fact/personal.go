package fact

import (
	"regexp"
	"strings"
)

// The personal-name tests (a device's name may be its owner's): an address, a
// number that could be a staff or patient number, "LAST, FIRST" or
// "LAST^FIRST", and a possessive, in the languages whose phones and laptops
// name themselves after their owners.
func personal(s string) bool {
	if email(s) || digits(s) {
		return true
	}
	host := strings.ToLower(s)
	for _, suffix := range []string{".local", "._tcp", "._udp"} {
		host = strings.TrimSuffix(host, suffix)
	}
	return lastFirst(s) || possessive(host)
}

func email(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && strings.IndexByte(s[at:], '.') > 1 && !strings.ContainsAny(s[:at], " /:")
}

// digits: six to ten of them and nothing else.
func digits(s string) bool {
	if len(s) < 6 || len(s) > 10 {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// lastFirst: two capitalised words around a comma or a caret (by now '_').
func lastFirst(s string) bool {
	i := strings.IndexByte(s, ',')
	if i <= 1 {
		return false
	}
	first := strings.TrimSpace(s[i+1:])
	return alpha(s[:i]) && alpha(first) && upper(s[0]) && first != "" && upper(first[0])
}

func alpha(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && s[i] != ' ' && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// gadgets are what people own and operating systems name after them.
func gadget(s string) bool {
	for _, g := range []string{"iphone", "ipad", "ipod", "macbook", "imac", "mac-mini", "mac mini", "watch", "phone", "laptop",
		"notebook", "pc", "galaxy", "pixel", "airpods", "desktop", "computer", "tablet", "handy"} {
		if strings.Contains(s, g) {
			return true
		}
	}
	return false
}

func possessive(s string) bool {
	if strings.Contains(s, "'s ") || strings.Contains(s, "_s ") || strings.Contains(s, "___s ") {
		return true
	}
	for _, of := range []string{" von ", "-von-", " de ", "-de-", " of ", "-of-", " di ", "-di-", " van ", "-van-"} {
		if i := strings.Index(s, of); i > 0 && gadget(s[:i]) {
			return true
		}
	}
	// janes-iphone, jane-s-macbook-pro: a word ending in s, then a gadget
	if i := strings.IndexAny(s, "-_ "); i > 2 && gadgetAt(strings.TrimPrefix(s[i+1:], "s-")) {
		return s[i-1] == 's' || strings.HasPrefix(s[i+1:], "s-")
	}
	return false
}

func gadgetAt(s string) bool {
	for _, g := range []string{"iphone", "ipad", "ipod", "macbook", "imac", "mac-mini", "mac mini", "airpods", "apple", "galaxy", "pixel"} {
		if strings.HasPrefix(s, g) {
			return true
		}
	}
	return false
}

// bedLabel is a bed or room in a host name: with a time it points at a patient.
var bedLabel = regexp.MustCompile(`(?i)(^|[-_. ])(bed|bett|rm|room|zimmer)[-_ ]?[0-9]{1,4}[a-z]?($|[-_. ])`)

// cutBed removes a bed or room label.
func cutBed(s string) string {
	if !bedLabel.MatchString(s) {
		return s
	}
	return strings.Trim(bedLabel.ReplaceAllString(s, "$1$3"), "-_. ")
}
