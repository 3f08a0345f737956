package wire

import (
	"bytes"
	"testing"
)

func TestIPP(t *testing.T) {
	req := IPPRequest(IPPPrintJob, 7, "ipp://printer/ipp/print", []byte("document"))
	if !bytes.HasPrefix(req, []byte{2, 0, 0, 2, 0, 0, 0, 7, 1, 0x47}) || !bytes.HasSuffix(req, []byte("\x03document")) {
		t.Errorf("request % x", req[:10])
	}
	resp, err := IPPResponse(req, "Model")
	if err != nil || !bytes.HasPrefix(resp, []byte{2, 0, 0, 0, 0, 0, 0, 7}) {
		t.Errorf("response % x, %v", resp[:8], err)
	}
	if _, err := IPPResponse([]byte{2, 0}, "Model"); err == nil || err.Error() != "ipp message shorter than its header" {
		t.Errorf("short request: %v", err)
	}
}
