package wire

import "fmt"

// Codes of MEDIBUS (protocols.md 2.9).
const (
	MedibusValues     = '$' // 24: measured values, codepage 1
	MedibusTexts      = '*' // 2A: text messages
	MedibusNOP        = '0'
	MedibusInitialise = 'Q' // 51
	MedibusIdentity   = 'R' // 52
)

// MedibusCommand is a command: ESC, its code, arguments, the sum in two
// hexadecimal digits, CR.
func MedibusCommand(code byte, args string) []byte { return medibus(0x1b, code, args) }

// MedibusAnswer is the answer to it, which begins with SOH.
func MedibusAnswer(code byte, args string) []byte { return medibus(0x01, code, args) }

func medibus(lead, code byte, args string) []byte {
	b := append([]byte{lead, code}, args...)
	return fmt.Appendf(b, "%02X\r", sum8(b))
}

// MedibusDevice is the argument of an identity: number, name, revisions of the
// device and of MEDIBUS.
func MedibusDevice(id, name, device, protocol string) string {
	return fmt.Sprintf("%s'%s'%s:%s", id, name, device, protocol)
}
