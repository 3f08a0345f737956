package capture

import (
	"fmt"

	"github.com/wardkeeper/wardkeeper/platform"
)

// LinkTypeError says that frames begin with something that is not read.
type LinkTypeError struct {
	File     string
	LinkType uint16
	Snoop    bool // the number is one of RFC 1761, not of the tcpdump registry
	Frames   int  // passed over; 0: the whole file
}

// Error names file and number.
func (e *LinkTypeError) Error() string {
	what := "link type"
	if e.Snoop {
		what = "snoop data link type"
	}
	s := fmt.Sprintf("capture file %s: %s %d%s is not read (read are Ethernet, Linux cooked, raw IP, null)",
		e.File, what, e.LinkType, e.name())
	if e.Frames > 0 {
		s += fmt.Sprintf("; %d of its frames left out", e.Frames)
	}
	return s
}

// name knows the link types that people are likely to bring.
func (e *LinkTypeError) name() string {
	if e.Snoop {
		return ""
	}
	switch e.LinkType {
	case 9:
		return " (PPP)"
	case 105:
		return " (802.11)"
	case 127:
		return " (802.11 with radiotap)"
	case 189, 220, 249:
		return " (USB)"
	case 192:
		return " (PPI)"
	case 195, 230:
		return " (802.15.4)"
	case 187, 201, 251, 256:
		return " (Bluetooth)"
	case 227:
		return " (CAN)"
	case 239:
		return " (NFLOG)"
	}
	return ""
}

// linkOf translates the numbers of https://www.tcpdump.org/linktypes.html.
func linkOf(n uint16) (platform.LinkType, bool) {
	switch n {
	case 1:
		return platform.LinkEthernet, true
	case 113:
		return platform.LinkLinuxCooked, true
	case 276:
		return platform.LinkLinuxCooked2, true
	case 12, 14, 101, 228, 229:
		return platform.LinkRawIP, true
	case 0, 108:
		return platform.LinkNull, true
	}
	return 0, false
}
