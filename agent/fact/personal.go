package fact

import (
	"regexp"
	"slices"
	"strings"
)

// The personal-name tests: a device's name may be its owner's. They lean
// towards personal: a product's name also comes by banners, where only the
// address test applies, while a person's name that got out stays out.
func personal(s string) bool {
	host := strings.ToLower(strings.TrimSuffix(s, "."))
	for _, suffix := range []string{".local", "._tcp", "._udp"} {
		host = strings.TrimSuffix(host, suffix)
	}
	if !strings.Contains(host, " ") {
		host, _, _ = strings.Cut(host, ".") // what follows is the site's domain
	}
	host = strings.TrimRight(host, "_") // of what is no part of it, such as a byte behind its end
	w := words(host)
	return email(s) || digits(host) || lastFirst(s) || possessive(host, w) || owned(w)
}

// email is the shape of a mail address, wherever it stands.
func email(s string) bool { return address.MatchString(s) }

var address = regexp.MustCompile(`[A-Za-z0-9._%+-]@[A-Za-z0-9_-]+\.[A-Za-z0-9_-]`)

// digits: six to ten of them and nothing else, a staff or patient number.
func digits(s string) bool {
	return len(s) >= 6 && len(s) <= 10 && strings.Trim(s, "0123456789") == ""
}

// lastFirst is "LAST, FIRST" and "LAST^FIRST" with what names are made of.
// Dissectors write a caret as '_', which device names have too: there the shape
// cannot be told any more, and only the text of another source is tested for it.
func lastFirst(s string) bool {
	m := inverted.FindStringSubmatch(s)
	return m != nil && !slices.Contains(legalForms(), strings.ToLower(strings.Trim(m[1], ".")))
}

var inverted = regexp.MustCompile(`^[A-Za-z_][A-Za-z_'. -]+[,^] ?([A-Za-z_][A-Za-z_'. ^-]*)$`)

// legalForms follow the comma in the name of a company.
func legalForms() []string {
	return []string{"inc", "ltd", "llc", "ag", "gmbh", "co", "corp", "sa", "bv", "kg"}
}

// words splits a name at everything but letters, digits and '_', which stands
// for a letter that is not ASCII.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	})
}

// possessive finds the ending that says whose a thing is: Jane's, in whatever
// way the apostrophe came over the wire.
func possessive(s string, w []string) bool {
	if apostrophe.MatchString(s) {
		return true
	}
	for i := 1; i+1 < len(w); i++ { // jane-s-ipad; pump-s-01 is no person
		if w[i] == "s" && alphabetic(w[i-1]) && (personalModel(w[i+1]) || gadget(w[i+1]) != 0) {
			return true
		}
	}
	return false
}

var apostrophe = regexp.MustCompile(`[a-z_]{2}('s($|[ _-])|_{1,3}s )`)

// owned finds a personal thing beside a word that is no part of a product's
// name: its owner's name, in whatever language and order.
func owned(w []string) bool {
	for i := 0; i < len(w); i++ {
		g := w[i]
		switch gadget(g) {
		case named: // these are sold under the name alone: any other word is an owner's
			return grown(g) || slices.ContainsFunc(w, func(o string) bool { return gadget(o) == 0 && !partOfProduct(o) && !shared(o) })
		case common: // these are named by hospitals too
			if i > 0 && (genitive(w[i-1]) || len(w) == 2 && i == 1 && slices.Contains(logins(), g) && alphabetic(w[0]) && !shared(w[0])) {
				return true
			}
			for i++; i < len(w) && partOfProduct(w[i]) && len(w[i]) > 1; i++ {
			}
			if i+1 < len(w) && slices.Contains(ofs(), w[i]) && alphabetic(w[i+1]) && !shared(w[i+1]) {
				return true
			}
		}
	}
	return false
}

// logins are the things that set-up programs name after the first login: jane-pc.
func logins() []string {
	return []string{"pc", "laptop", "notebook", "thinkpad", "chromebook", "mac", "mbp", "mba"}
}

// kindOfGadget tells things that are always somebody's from those that may be.
type kindOfGadget uint8

const (
	named  kindOfGadget = iota + 1 // iphone
	common                         // laptop
)

func gadget(w string) kindOfGadget {
	switch strings.TrimRight(w, "0123456789") {
	case "iphone", "ipad", "ipod", "macbook", "imac", "airpods", "galaxy", "pixel":
		return named
	case "pc", "laptop", "notebook", "desktop", "computer", "tablet", "phone", "handy", "telefon", "watch", "kindle", "surface", "thinkpad",
		"chromebook", "ordinateur", "ordenador", "portatil", "mac", "mbp", "mba", "android", "huawei", "xperia", "oneplus", "redmi":
		return common
	}
	if grown(w) {
		return named
	}
	return 0
}

// grown reports a name grown together with the thing: janesiphone.
func grown(w string) bool { return together.MatchString(w) }

var together = regexp.MustCompile(`^[a-z_]{2,}(iphone|macbook|airpods)|^[a-z_]{2,}s(ipad|ipod|imac)[0-9]*$|^(iphone|ipad|ipod|imac|macbook)(of|von|de|del|di|da|do|van|d)[a-z_]{3,}`)

// partOfProduct reports the words that makers put beside a gadget's name, and
// model numbers: a2197, but not jdoe2, the second of that login.
func partOfProduct(w string) bool {
	if len(w) < 2 || strings.Trim(w, "_") == "" {
		return true
	}
	if at := strings.IndexAny(w, "0123456789"); at >= 0 {
		return at <= 3 || partOfProduct(w[:at]) || gadget(w[:at]) != 0 || shared(w[:at])
	}
	switch w {
	case "pro", "air", "mini", "plus", "max", "se", "xr", "xs", "gen", "touch", "nano", "retina", "wifi", "lte", "cellular", "inch",
		"tab", "note", "watch", "buds", "fold", "flip", "ultra", "lite", "fe", "active", "edge", "xl", "book", "go", "apple", "samsung",
		"google", "mac", "local", "sm", "android", "ios", "phone", "tablet":
		return true
	}
	return false
}

// personalModel is what phones of Samsung put behind their owner: s21, a52.
func personalModel(w string) bool { return model.MatchString(w) }

var model = regexp.MustCompile(`^(s|a|z|note)[0-9]{1,2}$`)

// genitive is a name with an s at its end: janes-laptop. Words that end so by
// themselves, and groups that share a thing, are none.
func genitive(w string) bool {
	return len(w) >= 4 && w[len(w)-1] == 's' && w[len(w)-2] != 's' && alphabetic(w) && !shared(w)
}

func alphabetic(w string) bool {
	return len(w) >= 3 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// shared reports words that stand before a thing of nobody's: places, trades,
// makers.
func shared(w string) bool {
	switch strings.TrimSuffix(w, "s") {
	case "nurse", "doctor", "visitor", "patient", "guest", "student", "admin", "user", "owner", "sale", "device", "system", "station", "service",
		"op", "lab", "ward", "room", "office", "reception", "theatre", "icu", "picu", "nicu", "ccu", "rad", "med", "triage", "emergency", "home", "work",
		"radiology", "pharmacy", "surgery", "clinic", "clinical", "hospital", "cardiology", "pathology", "imaging", "xray", "ultrasound", "cath", "endo",
		"dialysi", "anesthesia", "anaesthesia", "monitor", "pump", "central", "test", "demo", "spare", "media", "mini", "panel", "industrial", "embedded",
		"tablet", "gaming", "control", "window", "philip", "siemen", "asu", "axi", "acer", "dell", "lenovo", "toshiba", "samsung", "sony", "msi",
		"panasonic", "getac", "advantech", "mindray", "drager", "medion", "fujitsu", "cisco":
		return true
	}
	return false
}

// ofs are the words for "of" between a thing and its owner.
func ofs() []string {
	return []string{"of", "von", "vom", "de", "des", "du", "del", "della", "di", "da", "do", "d", "van", "av", "af", "fra", "od"}
}

// bedLabel is a bed or room in a name: with a time it points at a patient.
var bedLabel = regexp.MustCompile(`(?i)(^|[-_. ])(bed|bett|lit|cama|letto|rm|room|zimmer|chambre|kamer|stanza|habitacion)[-_ #]?[0-9]{1,4}[a-z]?($|[-_. ])`)

// cutBed removes bed and room labels, one after the other: two neighbours share
// the character between them.
func cutBed(s string) string {
	for {
		at := bedLabel.FindStringSubmatchIndex(s)
		if at == nil {
			return s
		}
		s = strings.Trim(s[:at[3]]+s[at[7]:], "-_. ")
	}
}
