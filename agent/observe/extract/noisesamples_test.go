package extract_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/platform"
)

// otherProtocols are messages of protocols that are not medical, and, with CORPUS
// set, all that is said in the captures that are not filed as medical.
func otherProtocols(t *testing.T) (all [][]byte) {
	const json = `{"id":17,"name":"printer","state":{"on":true,"temperature":21.5},"items":[{"code":"A-1","value":null},{"code":"B-2","value":"x|y^z"}]}`
	const xml = `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:GetStatusResponse xmlns:u="urn:schemas-upnp-org:service:SwitchPower:1"><State>1</State><Model>X1</Model></u:GetStatusResponse></s:Body></s:Envelope>`
	web := func(head, kind, body string) string {
		return fmt.Sprintf("%s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", head, kind, len(body), body)
	}
	pcl := "\x1b%-12345X@PJL JOB NAME=\"report\"\r\n@PJL ENTER LANGUAGE=PCL\r\n\x1bE\x1b&l26A\x1b&l0O\x1b(10U\x1b(s0p12h0s0b3TQuarterly report\r\nRow 1   Row 2\x0c\x1bE\x1b%-12345X"
	for _, s := range []string{
		web("POST /api/v1/devices HTTP/1.1\r\nHost: cloud.example\r\nUser-Agent: sensor/2.1", "application/json", json),
		web("HTTP/1.1 200 OK\r\nServer: nginx", "application/json", json), web("HTTP/1.1 200 OK\r\nServer: upnp/1.0", "text/xml; charset=utf-8", xml),
		web("HTTP/1.1 200 OK\r\nServer: Apache", "text/html", "<!DOCTYPE html><html><head><title>Status</title></head><body><table><tr><td>1</td></tr></table></body></html>"),
		web("HTTP/1.1 200 OK", "image/jpeg", picture(t)), web("HTTP/1.1 200 OK\r\nContent-Encoding: gzip", "text/html", zipped(t)), web("HTTP/1.1 200 OK", "application/zip", archive(t)),
		web("POST /ipp/print HTTP/1.1\r\nHost: printer", "application/ipp", "\x01\x01\x00\x0b\x00\x00\x00\x01\x01\x47\x00\x12attributes-charset\x00\x05utf-8\x48\x00\x1battributes-natural-language\x00\x05en-us\x03"),
		"GET /index.html?x=1 HTTP/1.1\r\nHost: intranet\r\nAccept: */*\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n" + json[:26] + "\r\n0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x00\xbf\x00\x00", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n",
		json, xml, picture(t), zipped(t), archive(t), bitmap(t), "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\nxref\n0 3\ntrailer\n<< /Root 1 0 R >>\n",
		pcl, "\x1b%-12345X@PJL INFO STATUS\r\n\x1b%-12345X", "%!PS-Adobe-3.0\n%%Pages: 1\n/Helvetica findfont 12 scalefont setfont\n72 720 moveto (Hello) show\nshowpage\n\x04", "\x1b@\x1ba\x01RECEIPT\n1 x Tea  2.00\n\x1dV\x41\x03",
		"\x02lp\n", "\x02123 cfA001host\n", "\x03456 dfA001host\n", "\x04lp job 1\n", "\x00", "^XA^FO50,50^ADN,36,20^FDLabel 123^FS^XZ", "\x02L\rD11\r121100000500050Label\rE\r", "\x02\x1bA\x1bH0100\x1bV0200Barcode\x1bZ\x03",
		"SSH-2.0-OpenSSH_9.6\r\n\x00\x00\x00\x94\x07\x14" + strings.Repeat("\xa5", 16) + "\x00\x00\x00\x1acurve25519-sha256,ext-info\x00\x00\x00\x0bssh-ed25519",
		"\x00\x00\x00\x45\xffSMB\x72\x00\x00\x00\x00\x18\x53\xc8" + strings.Repeat("\x00", 20) + "\x00\x22\x00\x02NT LM 0.12\x00\x02SMB 2.002\x00", "\x00\x00\x00\x6c\xfeSMB\x40\x00\x01\x00\x00\x00\x00\x00\x00\x00\x1f\x00" + strings.Repeat("\x00", 44) + "\x24\x00\x02\x00\x01\x00",
		"\x81\x00\x00\x44\x20EOEBFACPEHFCFFFOFACACACACACACACA\x00\x20FHEPFCELEHFCEPFFFACACACACACACAAA\x00", "\x82\x00\x00\x00",
		"220 mail.example ESMTP Postfix\r\n", "EHLO client.example\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", "Subject: =?utf-8?q?x?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\nHello|world\r\n.\r\n", "250-SIZE 35882577\r\n250 HELP\r\n",
		"220 ftp ready\r\n", "USER anonymous\r\nPASS x\r\nTYPE I\r\nPASV\r\n", "* OK IMAP4 ready\r\n", "a1 LOGIN u p\r\na2 SELECT INBOX\r\n", "+OK POP3\r\n", "NICK n\r\nUSER u 0 * :r\r\nJOIN #c\r\n",
		"\xff\xfd\x18\xff\xfd\x20\xff\xfb\x01\x1b[2J\x1b[1;1Hlogin: ", "\x1b[?25l\x1b[31mError\x1b[0m\r\n$ ls -l\r\ntotal 4\r\n", "RFB 003.008\n", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02",
		"\x03\x00\x00\x1f\x02\xf0\x80\x32\x01\x00\x00\x04\x00\x00\x0e\x00\x00\x04\x01\x12\x0a\x10\x02\x00\x01\x00\x00\x83\x00\x00\x00", "\x10\x1f\x00\x04MQTT\x04\x02\x00\x3c\x00\x13sensor-001122334455", "\x30\x2b\x00\x10home/kitchen/tmp{\"value\":21.5,\"unit\":\"C\"}", "\xc0\x00", "\x90\x03\x00\x01\x00",
		"AMQP\x00\x00\x09\x01", "\x40\x01\x12\x34\xbbwell-known\x04core", "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x6b\x00\x03", "\x00\x01\x00\x00\x00\x09\x01\x03\x06\x02\x2b\x00\x00\x00\x64", "\x01\x03\x00\x6b\x00\x03\x74\x17", "\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21",
		"\x81\x0b\x00\x0c\x01\x20\xff\xff\x00\xff\x10\x08", "\x63\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x23" + strings.Repeat("\x00", 47), "\x1b" + strings.Repeat("\x00", 47), "\x24\x01\x06\xe8" + strings.Repeat("\x5a", 44),
		"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00\x30\x0b\x30\x09\x06\x05\x2b\x06\x01\x02\x01\x05\x00", "\x30\x3a\x02\x01\x03\x30\x0f\x02\x02\x4a\x69\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01\x03\x04\x10",
		"\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef" + strings.Repeat("\xff\x7f", 80), "\x80\xc8\x00\x06\xde\xad\xbe\xef" + strings.Repeat("\x11", 20), "\x80\x60\x00\x01" + strings.Repeat("\x21\x93", 600),
		"<34>Oct 11 22:14:15 host su: 'su root' failed for user on /dev/pts/8", "<165>1 2026-10-11T22:14:15.003Z host app 42 ID47 [x@32473 iut=\"3\"] message", "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060\r\nFrom: <sip:a@example.org>\r\n\r\n",
		"RTSP/1.0 200 OK\r\nCSeq: 2\r\nPublic: DESCRIBE, SETUP\r\n\r\n", "\x00\x01\x00\x00\x21\x12\xa4\x42" + strings.Repeat("\x33", 12), "\x01\x01\x00\x0c\x21\x12\xa4\x42" + strings.Repeat("\x33", 12) + "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43", "\x00\x01file.bin\x00octet\x00", "\x00\x03\x00\x01" + strings.Repeat("data", 128),
		"\x01\x2a\x00\x38" + strings.Repeat("\x44", 16) + "\x01\x07steve\x02\x12" + strings.Repeat("\x55", 16), "\x02\x2a\x00\x14" + strings.Repeat("\x44", 16), "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "\x00\x00\x00\x24\x00\x03\x00\x00user\x00u\x00database\x00d\x00\x00",
		"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00", "\x12\x01\x00\x34\x00\x00\x00\x00\x00\x00\x15\x00\x06\x01\x00\x1b\x00\x01\x02\x00\x1c", "\x04\x01\x00\x2b\x00\x00\x01\x00\xe3\x17\x00\x01\x06m\x00a\x00s\x00t\x00e\x00r\x00", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n",
		"\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00\x01\x00\x00\x00\xb8\x10\xb8\x10" + strings.Repeat("\x00", 52), "\x04\x00\x28\x00\x10\x00\x00\x00" + strings.Repeat("\x77", 80), "\x05\x01\x00", "\x05\x00", "\x04\x01\x00\x50\xc0\x00\x02\x01user\x00",
		"l\x00\x0b\x00\x00\x00\x12\x00\x10\x00\x00\x00MIT-MAGIC-COOKIE-1", "\x7e\xff\x7d\x23\xc0\x21\x7d\x21\x7d\x21\x7d\x20\x7d\x34\x7d\x22\x7d\x26\x7d\x20\x7d\x20\x7d\x20\x7d\x20\xa6\x11\x7e", "\x7e\x21\x45\x00\x00\x3c\x01\x02\x7e\x7e\x21\x45\x00\x00\x3c\x01\x03\x7e",
		"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n$GPRMC,123519,A,4807.038,N*6A\r\n", "AT+CSQ\r\r\n+CSQ: 17,0\r\n\r\nOK\r\n", "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n", "!001:RDY\r!002:ERR\r", "[INFO] 12:00:01 started\r\n[WARN] 12:00:02 slow\r\n",
		"\x01C\x02read 5\x03\x27", "\x02S+   12.345 kg\x03\x4c\r\n", "\x0200001A01020304\x03F2\r\n", "\x05", "\x06", "\x15", "\x1c\x1c", "\x0b\x0c\r\n", "01/02/26 03:04:05 user logged in\r\n", "MISC: nothing\r\n", "<status><value V=\"7\"/></status>", "<HELLO version=\"1\"/>", "\xef\xbb\xbfname;value\r\na;1\r\n", "id|name|state\r\n1|^~|x\r\n2|pump|y\r\n",
		"\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03" + strings.Repeat("\x61", 64), "\x17\x03\x03\x00\x40" + strings.Repeat("\x9d", 64), "\x15\x03\x03\x00\x02\x02\x28", "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x01" + strings.Repeat("\x13", 31), "\xc3\x00\x00\x00\x01\x08" + strings.Repeat("\xe7", 200), "\xe3\x00\x00\x00\x01\x10" + strings.Repeat("\x42", 200),
	} {
		all = append(all, []byte(s))
	}
	all = append(all, clientHello(t, "web.example.org"), dhcp(1, pump.mac, "0.0.0.0", option(53, "\x01"), option(12, "printer")), mdns(0x8400, record(name("_ipp", "_tcp", "local"), 16, be("\x04ty=x"))))
	if dir := os.Getenv("CORPUS"); dir != "" {
		all = append(all, recorded(t)...)
	}
	return all
}

// recorded are the payloads of the captures that are not medical.
func recorded(t *testing.T) (all [][]byte) {
	for _, path := range corpus(t) {
		if strings.HasPrefix(filepath.Base(filepath.Dir(path)), "medical-") {
			continue
		}
		for _, b := range payloads(path) {
			all = append(all, b[:min(len(b), 1400)])
		}
	}
	return all
}

// payloads are what the TCP and UDP frames of a capture carry.
func payloads(path string) (all [][]byte) {
	src, err := capture.Open(path)
	if err != nil {
		return nil // TestCorpus looks at the errors
	}
	defer src.Close()
	for {
		f, err := src.Next(0)
		if err != nil {
			return all
		}
		var v dissect.View
		if v.Decode(dissect.FrameHeader{Link: dissect.LinkEthernet}, f.Data); f.Link == platform.LinkEthernet && len(v.Payload) > 0 {
			all = append(all, bytes.Clone(v.Payload))
		}
	}
}

func painted() image.Image {
	m := image.NewGray(image.Rect(0, 0, 40, 40))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i)
	}
	return m
}

func picture(t *testing.T) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, painted(), nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func bitmap(t *testing.T) string {
	var b bytes.Buffer
	if err := png.Encode(&b, painted()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t *testing.T) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for i := range 200 {
		fmt.Fprintf(w, "line %d of a page\n", i*i)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func archive(t *testing.T) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("file.txt")
	if err == nil {
		_, err = f.Write([]byte("text of a file"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
