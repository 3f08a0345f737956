package wire

import (
	"encoding/binary"
	"errors"
)

// IPP operations (RFC 8011 5.4.15).
const (
	IPPPrintJob             = 0x0002
	IPPGetPrinterAttributes = 0x000B
)

// errIPP says that bytes are no IPP request.
var errIPP = errors.New("ipp message shorter than its header")

// ippAttribute is tag, name, value (RFC 8010 3.1.4).
func ippAttribute(tag byte, name, value string) []byte {
	return be(nil).u8(tag).len16([]byte(name)).len16([]byte(value))
}

// ippCharset opens the operation attributes, which every message begins with.
func ippCharset() []byte {
	return be(nil).u8(1). // operation-attributes-tag
				bytes(ippAttribute(0x47, "attributes-charset", "utf-8")).
				bytes(ippAttribute(0x48, "attributes-natural-language", "en"))
}

// IPPRequest is a request of IPP/2.0 for the printer at uri, with the document
// of a print job behind it.
func IPPRequest(operation uint16, id uint32, uri string, document []byte) []byte {
	return be(nil).u8(2, 0).u16(operation).u32(id).bytes(ippCharset()).
		bytes(ippAttribute(0x45, "printer-uri", uri)).
		u8(3). // end-of-attributes
		bytes(document)
}

// IPPResponse answers with successful-ok and the printer's make and model.
func IPPResponse(request []byte, model string) ([]byte, error) {
	if len(request) < 8 {
		return nil, errIPP
	}
	return be(nil).u8(2, 0).u16(0).u32(binary.BigEndian.Uint32(request[4:])).bytes(ippCharset()).
		u8(4). // printer-attributes-tag
		bytes(ippAttribute(0x41, "printer-make-and-model", model)).
		u8(3), nil
}
