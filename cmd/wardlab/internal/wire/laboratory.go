package wire

import (
	"fmt"
	"html"
	"strings"
)

// Octets between the frames of laboratory equipment (ASTM E1381, protocols.md
// 2.14).
const (
	ASTMAsk    = 0x05 // ENQ
	ASTMAgree  = 0x06 // ACK
	ASTMFinish = 0x04 // EOT
)

// ASTMFrame is the n-th frame, from 1, with one record.
func ASTMFrame(n int, record string) []byte {
	b := fmt.Appendf(nil, "\x02%d%s\r\x03", n%8, record)
	return fmt.Appendf(b, "%02X\r\n", sum8(b[1:]))
}

// POCTField is a field of a POCT1-A object: its name and its value.
type POCTField struct{ Name, Value string }

// POCTObject is an object of a message.
type POCTObject struct {
	Name   string
	Fields []POCTField
}

// POCT1A is a message of a point-of-care device or of its data manager (CLSI
// POCT1-A, protocols.md 2.13): the root names it, the values are attributes V.
func POCT1A(message string, objects ...POCTObject) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><` + message + ">")
	for _, o := range objects {
		b.WriteString("<" + o.Name + ">")
		for _, f := range o.Fields {
			fmt.Fprintf(&b, `<%s.%s V="%s"/>`, o.Name, f.Name, html.EscapeString(f.Value))
		}
		b.WriteString("</" + o.Name + ">")
	}
	b.WriteString("</" + message + ">")
	return []byte(b.String())
}
