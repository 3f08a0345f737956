package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestBedside compares frames with the reference's vectors and with the
// checksums that the makers printed.
func TestBedside(t *testing.T) {
	unhex := func(s string) string {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"medibus initialise", MedibusCommand(MedibusInitialise, ""), unhex("1b5136430d")},
		{"medibus identity asked", MedibusCommand(MedibusIdentity, ""), unhex("1b5236440d")},
		{"medibus nop", MedibusCommand(MedibusNOP, ""), unhex("1b3034420d")},
		{"medibus identity", MedibusAnswer(MedibusIdentity, MedibusDevice("8020", "TestVent", "01.00", "04.00")),
			unhex("015238303230275465737456656e742730312e30303a30342e303043330d")},
		{"bcc alive", BCC("1/1/1", "ADMIN:ALIVE"), "\x0100031\x021/1/1>AEXMIN:ALIVEE\x0300061\x04"},
		{"asena serial", Asena("INST_SERIALNO", ""), "!INST_SERIALNO|457D\r"},
		{"asena protocol", Asena("COMMS_PROTOCOL", ""), "!COMMS_PROTOCOL|E8DA\r"},
		{"asena infusion", Asena("INF", ""), "!INF|4961\r"},
		{"astm header", ASTMFrame(1, `H|\^&|||ACME^1.0^SN1|||||||P|LIS2-A2|20200101000000`),
			unhex("0231487c5c5e267c7c7c41434d455e312e305e534e317c7c7c7c7c7c7c507c4c4953322d41327c32303230303130313030303030300d0339380d0a")},
		{"rwhat", RWHAT(netip.MustParseAddr("126.0.0.1"), time.Unix(0x5f5e1000, 0), "ICU|BED01", "XXXXXXXXXXXXXXX"),
			unhex("010400007e0000015f5e10004943557c42454430310000000000000058585858585858585858585858580007000307d000110020000907d000130bb8001c0bb9000d07d0000c07d0" + strings.Repeat("00", 16))},
		{"dri", DRI(DRINetwork, 1, 8, 0x5f5e1000),
			unhex("7e28000108010000105e5f0000000005000000ff0000ff0000ff0000ff0000ff0000ff0000ff0000fffc7e")},
		{"mindray heartbeat", Mindray(MindrayHeartbeat), "\x0bMSH|^~\\&|||||||ORU^R01|106|P|2.3.1|\r\x1c\r"},
		{"moxa", MoxaAnswer(0, 0x5110, MAC{0, 0x90, 0xe8, 0, 0, 1}, netip.MustParseAddr("192.0.2.7"), ""), unhex("81000018 00000000 00801051 1051 0090e8000001 c0000207")},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s: %x\nwant %x", tt.name, tt.got, tt.want)
		}
	}
}

// TestDRI: a record between its flags, escaped, whose octets add up.
func TestDRI(t *testing.T) {
	got := DRI(DRINetwork, 0, 8, 0x7d7e, DRISub{DRIRegister, DRIRegistration(MAC{0, 0x40, 0x97, 1, 2, 3}, 10, 8)})
	if n := bytes.Count(got, []byte{0x7e}); n != 2 {
		t.Errorf("%d flags in %x, want 2", n, got)
	}
	plain := bytes.ReplaceAll(bytes.ReplaceAll(got[1:len(got)-1], []byte{0x7d, 0x5e}, []byte{0x7e}), []byte{0x7d, 0x5d}, []byte{0x7d})
	if n := len(plain) - 1; n != 50 || plain[0] != 50 || sum8(plain[:n]) != plain[n] {
		t.Errorf("record %x: want 50 octets that add up", plain)
	}
}
