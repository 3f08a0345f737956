package wire

import (
	"bytes"
	"testing"
)

func TestAnnouncementFitsAFrame(t *testing.T) {
	txt := []string{"txtvers=1", "qtotal=1", "rp=ipp/print", "pdl=application/postscript,application/pdf,image/urf", "ty=HP LaserJet M404dn"}
	b := Announcement("HP LaserJet M404dn [112233]", "NPI112233", addr("192.0.2.8"), []Service{
		{Type: "_ipp._tcp", Port: 631, TXT: txt}, {Type: "_pdl-datastream._tcp", Port: 9100, TXT: txt}, {Type: "_printer._tcp", Port: 515, TXT: txt}})
	if len(b) > 1472 {
		t.Errorf("message of %d octets does not fit one frame", len(b))
	}
	if n := int(b[6])<<8 | int(b[7]); n != 13 {
		t.Errorf("%d answers, want 13", n)
	}
	if bytes.Count(b, []byte("\x05local")) != 1 {
		t.Error("names are not compressed")
	}
}

func TestQueryAndAnswer(t *testing.T) {
	q := Query(0x1234, "intranet.example")
	a, ok := Answer(q, addr("192.0.2.3"))
	if !ok {
		t.Fatal("own query not answered")
	}
	if !bytes.HasPrefix(a, []byte{0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1}) || !bytes.HasSuffix(a, []byte{0, 4, 192, 0, 2, 3}) {
		t.Errorf("answer % x", a)
	}
	for cut := range q {
		if _, ok := Answer(q[:cut], addr("192.0.2.3")); ok {
			t.Errorf("query cut at %d is answered", cut)
		}
	}
	if _, ok := Answer(a, addr("192.0.2.3")); ok {
		t.Error("an answer is answered")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(Query(1, "a.example"))
	f.Fuzz(func(_ *testing.T, b []byte) { Answer(b, addr("192.0.2.3")) })
}
