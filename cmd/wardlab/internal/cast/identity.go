package cast

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// identity gives a part a plausible product of a real vendor. The OUI blocks
// are the vendors' own (IEEE registry); names, serials and versions are made up
// in the vendor's usual shape.
func identity(r *rand.Rand, p Part) Member {
	switch p {
	case Pump:
		// B. Braun Infusomat Space on a SpaceStation; its SpaceCom answers for it.
		n := 10000 + r.IntN(89999)
		return Member{MAC: mac(r, 0x001221), Name: fmt.Sprintf("spacecom-%d", n), Model: "Infusomat Space",
			Serial: fmt.Sprintf("%d", 100000+r.IntN(899999)), SW: fmt.Sprintf("%c02%04d", 'K'+rune(r.IntN(3)), r.IntN(60))}
	case Monitor:
		// Philips IntelliVue: model numbers of the MX series (protocols.md 2.6).
		return Member{MAC: mac(r, 0x0009FB), Model: pick(r, "866064", "866062"),
			Serial: fmt.Sprintf("DE%08d", r.IntN(100_000_000)), SW: fmt.Sprintf("L.01.%02d", 10+r.IntN(20))}
	case Ultrasound:
		// GE LOGIQ: a Windows console with GE's own network block.
		n := r.IntN(900000) + 100000
		return Member{MAC: mac(r, 0x444B5D, 0xA0F217), Name: fmt.Sprintf("LOGIQE9-%d", n), Model: "LOGIQ E9",
			Serial: fmt.Sprintf("%dUS%d", n, 1+r.IntN(9)), SW: fmt.Sprintf("R%d.1.%d", 5+r.IntN(3), r.IntN(10))}
	case Printer:
		m := mac(r, 0x3CD92B, 0x9C8E99, 0xD48564)
		model := pick(r, "HP LaserJet M507", "HP LaserJet M404dn", "HP LaserJet P3015")
		return Member{MAC: m, Name: fmt.Sprintf("NPI%02X%02X%02X", m[3], m[4], m[5]), Model: model,
			Serial: "VNB" + letters(r, 7), SW: fmt.Sprintf("2%d%07d", r.IntN(10), r.IntN(10_000_000))}
	case Intruder, PC:
		return Member{MAC: mac(r, 0xF8B156, 0xD4BED9, 0xB083FE), Name: "DESKTOP-" + letters(r, 7)}
	case PumpServer:
		return Member{MAC: mac(r, 0x005056), Name: fmt.Sprintf("spaceonline%d", 1+r.IntN(8))}
	case Central:
		return Member{MAC: mac(r, 0xF8B156, 0xD4BED9), Name: fmt.Sprintf("pic%02d", 1+r.IntN(80))}
	case PACS:
		return Member{MAC: mac(r, 0x005056), Name: fmt.Sprintf("pacs%d", 1+r.IntN(8))}
	case Infra:
		return Member{MAC: mac(r, 0x005056), Name: fmt.Sprintf("ns%d", 1+r.IntN(3))}
	}
	return Member{}
}

// letters is n characters in the alphabet of Windows' made-up computer names
// and of HP's serial numbers.
func letters(r *rand.Rand, n int) string {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}
