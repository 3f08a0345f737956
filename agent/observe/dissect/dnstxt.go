package dissect

// maxTXT is how many allowed TXT strings of one record are kept.
const maxTXT = 8

// DNSTXT is one allowed "key=value" string of a TXT record (RFC 6763 §6).
type DNSTXT struct {
	Key   TXTKey
	Value Text
}

// TXTKey is a TXT key on the allow-list: model, maker, version, MAC address
// and serial number of the device. Keys such as note (a place), rp, adminurl,
// or id are not on it.
type TXTKey uint8

// The allowed keys by what they say. The zero value is none of them.
const (
	_ TXTKey = iota
	TXTMd
	TXTMdl
	TXTModel
	TXTModelNumber
	TXTAm
	TXTRpMd
	TXTTy
	TXTProduct
	TXTUSBModel
	TXTUSBMaker
	TXTMfg
	TXTManufacturer
	TXTFv
	TXTFw
	TXTFirmwareVer
	TXTHardwareVer
	TXTHw
	TXTVersion
	TXTVs
	TXTSrcvers
	TXTOsvers
	TXTMac
	TXTSerialNumber
)

// txtKeys are the usual spelling and, to compare with, the one in lower case.
var txtKeys = [...]struct{ name, lower string }{
	TXTMd:           {"md", "md"},
	TXTMdl:          {"mdl", "mdl"},
	TXTModel:        {"model", "model"},
	TXTModelNumber:  {"model_number", "model_number"},
	TXTAm:           {"am", "am"},
	TXTRpMd:         {"rpMd", "rpmd"},
	TXTTy:           {"ty", "ty"},
	TXTProduct:      {"product", "product"},
	TXTUSBModel:     {"usb_MDL", "usb_mdl"},
	TXTUSBMaker:     {"usb_MFG", "usb_mfg"},
	TXTMfg:          {"mfg", "mfg"},
	TXTManufacturer: {"manufacturer", "manufacturer"},
	TXTFv:           {"fv", "fv"},
	TXTFw:           {"fw", "fw"},
	TXTFirmwareVer:  {"firmware_ver", "firmware_ver"},
	TXTHardwareVer:  {"hardware_ver", "hardware_ver"},
	TXTHw:           {"hw", "hw"},
	TXTVersion:      {"version", "version"},
	TXTVs:           {"vs", "vs"},
	TXTSrcvers:      {"srcvers", "srcvers"},
	TXTOsvers:       {"osvers", "osvers"},
	TXTMac:          {"mac", "mac"},
	TXTSerialNumber: {"serialNumber", "serialnumber"},
}

// String returns the usual spelling of the key, or "" for none.
func (k TXTKey) String() string {
	if int(k) < len(txtKeys) {
		return txtKeys[k].name
	}
	return ""
}

// text keeps the allowed strings of TXT data: one length byte before each.
func (r *DNSRecord) text(v []byte) {
	for len(v) > 0 && int(v[0]) < len(v) && int(r.TXTLen) < len(r.TXT) {
		r.pair(v[1 : 1+int(v[0])])
		v = v[1+int(v[0]):]
	}
}

// pair keeps one "key=value" if its key is allowed. Keys are compared without
// regard to case (RFC 6763 §6.4).
func (r *DNSRecord) pair(s []byte) {
	for i, c := range s {
		if c != '=' {
			continue
		}
		for k := TXTMd; int(k) < len(txtKeys); k++ {
			if foldEqual(s[:i], txtKeys[k].lower) && i+1 < len(s) {
				r.TXT[r.TXTLen].Key = k
				r.TXT[r.TXTLen].Value.set(s[i+1:])
				r.TXTLen++
				return
			}
		}
		return
	}
}
