package wire

import (
	"fmt"
	"strings"
)

// Lines of devices whose serial port was put on the network (protocols.md
// 2.12).

// Asena is a line of an Alaris Asena syringe pump: a command, perhaps a value,
// and a checksum.
func Asena(command, value string) []byte {
	text := command
	if value != "" {
		text += "^" + value
	}
	return fmt.Appendf(nil, "!%s|%04X\r", text, crc16([]byte(text)))
}

// crc16 is CRC-16 with polynomial 1021, beginning with FFFF.
func crc16(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		for bit := 7; bit >= 0; bit-- {
			out := crc >> 15
			crc <<= 1
			if out != uint16(c>>bit&1) {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// AS50 is a question to a Baxter AS50 syringe pump, with its checksum.
func AS50(question string) []byte {
	return fmt.Appendf(nil, "[%s]%04X", question, crc16([]byte("["+question+"]")))
}

// AS50Answer is what the pump says when it has understood.
func AS50Answer() []byte { return []byte("[ACK]") }

// PB840 is the answer of a Puritan Bennett ventilator to SNDA: octets from STX to CR,
// number of fields, and the fields, of which the second is the ventilator's
// number, in 18 characters.
func PB840(time, ventilator string, settings ...string) []byte {
	fields := append([]string{time, fmt.Sprintf("%-18s", ventilator)}, settings...)
	body := "\x02," + strings.Join(fields, ",") + ",\x03\r"
	return fmt.Appendf(nil, "MISCA,%d,%d,%s", len(body), len(fields), body)
}

// Masimo is a line of a Masimo Radical: time, serial number, and the values.
func Masimo(time, serial string, saturation, rate int) []byte {
	return fmt.Appendf(nil, "%s SN=%s SPO2=%03d%% BPM=%03d PI=03.40%%\r\n", time, serial, saturation, rate)
}
