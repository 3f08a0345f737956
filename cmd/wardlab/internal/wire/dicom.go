package wire

import (
	"encoding/binary"
	"strings"
)

// DICOM unique identifiers (PS3.6) below the root 1.2.840.10008.
const (
	uidRoot           = "1.2.840.10008."
	UIDVerification   = uidRoot + "1.1"
	UIDUSMultiFrame   = uidRoot + "5.1.4.1.1.3.1"
	UIDUSImage        = uidRoot + "5.1.4.1.1.6.1"
	UIDWorklistFind   = uidRoot + "5.1.4.31"
	UIDPerformedStep  = uidRoot + "3.1.2.3.3"
	uidApplication    = uidRoot + "3.1.1.1"
	uidImplicitLE     = uidRoot + "1.2"
	uidExplicitLE     = uidRoot + "1.2.1"
	uidJPEGLossless70 = uidRoot + "1.2.4.70"
)

// PDU types (PS3.8 9.3).
const (
	DICOMAssociateRQ = 1
	DICOMAssociateAC = 2
	DICOMData        = 4
	DICOMReleaseRQ   = 5
	DICOMReleaseRP   = 6
)

// Association is what both ends say of themselves when they open one.
type Association struct {
	Called, Calling  string   // AE titles
	Abstract         []string // proposed SOP classes; context ids 1, 3, 5, …
	Implementation   string   // class UID, item 52
	ImplementVersion string   // item 55
}

// maxPDU is what both ends offer in item 51.
const maxPDU = 16384

// pdu puts the 6-octet header in front.
func pdu(typ byte, body []byte) []byte {
	return be(nil).u8(typ, 0).u32(uint32(len(body))).bytes(body)
}

// item is type, reserved, length, body.
func item(typ byte, body []byte) []byte { return be(nil).u8(typ, 0).len16(body) }

// title pads an AE title with spaces to 16 octets.
func title(s string) []byte { return []byte((s + strings.Repeat(" ", 16))[:16]) }

func (a Association) fixed() be {
	return be(nil).u16(1).u16(0).bytes(title(a.Called)).bytes(title(a.Calling)).bytes(make([]byte, 32)).
		bytes(item(0x10, []byte(uidApplication)))
}

func (a Association) userInfo() []byte {
	info := be(nil).bytes(item(0x51, be(nil).u32(maxPDU))).
		bytes(item(0x52, []byte(a.Implementation))).
		bytes(item(0x55, []byte(a.ImplementVersion)))
	return item(0x50, info)
}

// Request is the A-ASSOCIATE-RQ.
func (a Association) Request() []byte {
	b := a.fixed()
	for i, uid := range a.Abstract {
		body := be(nil).u8(byte(2*i+1), 0, 0, 0).bytes(item(0x30, []byte(uid)))
		for _, ts := range []string{uidImplicitLE, uidExplicitLE, uidJPEGLossless70} {
			body = body.bytes(item(0x40, []byte(ts)))
		}
		b = b.bytes(item(0x20, body))
	}
	return pdu(DICOMAssociateRQ, b.bytes(a.userInfo()))
}

// Accept is the A-ASSOCIATE-AC which takes every proposed context.
func (a Association) Accept(contexts []byte) []byte {
	b := a.fixed()
	for _, id := range contexts {
		b = b.bytes(item(0x21, be(nil).u8(id, 0, 0, 0).bytes(item(0x40, []byte(uidImplicitLE)))))
	}
	return pdu(DICOMAssociateAC, b.bytes(a.userInfo()))
}

// ReleaseRequest and ReleaseReply end an association.
func ReleaseRequest() []byte { return pdu(DICOMReleaseRQ, make([]byte, 4)) }

// ReleaseReply answers a release request.
func ReleaseReply() []byte { return pdu(DICOMReleaseRP, make([]byte, 4)) }

// dataPDU wraps one presentation data value: length, context, control (bit 0
// command, bit 1 last fragment).
func dataPDU(context, control byte, v []byte) []byte {
	return pdu(DICOMData, be(nil).u32(uint32(len(v)+2)).u8(context, control).bytes(v))
}

// element is an implicit VR little-endian data element (PS3.5 7.1.3), padded to
// even length.
func element(group, elem uint16, v []byte) []byte {
	if len(v)%2 == 1 {
		v = append(append([]byte{}, v...), 0)
	}
	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, elem)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
	return append(b, v...)
}

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

// Command fields (PS3.7 E.1); a response has bit 15 set.
const (
	CommandStore    = 0x0001
	CommandFind     = 0x0020
	CommandEcho     = 0x0030
	CommandSet      = 0x0120
	CommandCreate   = 0x0140
	commandResponse = 0x8000
	noDataSet       = 0x0101
	withDataSet     = 0x0001
)

// command is a command set with its group length first.
func command(elements ...[]byte) []byte {
	var body be
	for _, e := range elements {
		body = body.bytes(e)
	}
	group := element(0, 0, binary.LittleEndian.AppendUint32(nil, uint32(len(body))))
	return append(group, body...)
}

// Store is a C-STORE request as its PDUs: the command, then the object in as
// many P-DATA PDUs as size/chunk makes. The object has a patient's name in it,
// as every image has.
func Store(context byte, message uint16, class, instance, family, given string, size, chunk int) [][]byte {
	out := [][]byte{dataPDU(context, 3, command(
		element(0, 0x0002, []byte(class)),
		element(0, 0x0100, le16(CommandStore)),
		element(0, 0x0110, le16(message)),
		element(0, 0x0700, le16(0)),
		element(0, 0x0800, le16(withDataSet)),
		element(0, 0x1000, []byte(instance)),
	))}
	object := be(nil).
		bytes(element(0x0008, 0x0016, []byte(class))).
		bytes(element(0x0008, 0x0018, []byte(instance))).
		bytes(element(0x0008, 0x0060, []byte("US"))).
		bytes(element(0x0010, 0x0010, []byte(family+"^"+given))).
		bytes(element(0x7FE0, 0x0010, make([]byte, size)))
	for len(object) > 0 {
		n := min(chunk, len(object))
		control := byte(0)
		if n == len(object) {
			control = 2
		}
		out = append(out, dataPDU(context, control, object[:n]))
		object = object[n:]
	}
	return out
}

// Perform tells of a modality performed procedure step as its PDUs: N-CREATE when
// it begins, N-SET when it is done (PS3.4 annex F), with the patient in the first.
func Perform(context byte, message, field uint16, instance, status, family, given string) [][]byte {
	class, uid := uint16(0x0002), uint16(0x1000) // affected
	dataset := be(nil)
	if field == CommandSet {
		class, uid = 0x0003, 0x1001 // requested
	} else {
		dataset = dataset.bytes(element(0x0010, 0x0010, []byte(family+"^"+given)))
	}
	return [][]byte{
		dataPDU(context, 3, command(
			element(0, class, []byte(UIDPerformedStep)),
			element(0, 0x0100, le16(field)),
			element(0, 0x0110, le16(message)),
			element(0, 0x0800, le16(withDataSet)),
			element(0, uid, []byte(instance)),
		)),
		dataPDU(context, 2, dataset.bytes(element(0x0040, 0x0252, []byte(status)))),
	}
}

// Find is a modality worklist query as its PDUs.
func Find(context byte, message uint16) [][]byte {
	return [][]byte{
		dataPDU(context, 3, command(
			element(0, 0x0002, []byte(UIDWorklistFind)),
			element(0, 0x0100, le16(CommandFind)),
			element(0, 0x0110, le16(message)),
			element(0, 0x0700, le16(0)),
			element(0, 0x0800, le16(withDataSet)),
		)),
		dataPDU(context, 2, element(0x0008, 0x0060, []byte("US"))),
	}
}
