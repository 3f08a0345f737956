package sim

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/pcap"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// speech is what one side says in a conversation, to or from a port.
type speech struct {
	what     string
	udp      bool
	from, to uint16
	said     []byte
}

// speeches are those of all wards: of the scenes, and what the hosts of the basic
// ward begin with.
func speeches(t *testing.T) (all []speech) {
	for _, kind := range cast.Kinds() {
		s := Stage{Ward: &ward.Ward{Cast: cast.NewKind(cast.DefaultSeed, kind)}}
		for _, x := range s.Scenes() {
			udp := strings.HasPrefix(x.Service, "udp")
			asks, answers := cmp.Or(x.asks, 40000), cmp.Or(x.answer, x.port)
			for n := range 2 {
				for _, m := range x.say(n) {
					all = append(all, speech{x.What, udp, asks, x.port, m})
					if x.hear != nil {
						all = append(all, speech{x.What + ", answer", udp, answers, asks, x.hear(m)})
					}
				}
			}
		}
	}
	addr := netip.AddrFrom4([4]byte{10, 0, 0, 7})
	mac := wire.MAC{0, 9, 0xfb, 0, 0, 7}
	a := wire.Association{Called: "PACS", Calling: "US", Abstract: proposed(), Implementation: "1.2.3", ImplementVersion: "V"}
	dicom := []speech{{"DICOM association", false, 40000, dicomPort, a.Request()}, {"DICOM association, answer", false, dicomPort, 40000, a.Accept([]byte{1, 3, 5, 7, 9})}}
	for _, p := range wire.Perform(performed, 1, wire.CommandCreate, "1.2.3.4", "IN PROGRESS", "Family", "Given") {
		dicom = append(dicom, speech{"procedure step", false, 40000, dicomPort, p})
	}
	return append(append(all, dicom...),
		speech{"IntelliVue indication", true, wire.PhilipsIndicate, wire.PhilipsIndicate, wire.ConnectIndication(wire.MonitorIdentity{MAC: mac, Addr: addr, Mask: addr, Model: "866064"})},
		speech{"IntelliVue association", true, 40000, wire.PhilipsData, wire.AssociationRequest()},
		speech{"IntelliVue values", true, wire.PhilipsData, 40000, wire.PollReply(1, 1, []uint16{72})},
		speech{"mDNS", true, wire.MDNSPort, wire.MDNSPort, wire.Announcement("printer", "NPI", addr, nil)},
		speech{"DNS", true, 40000, 53, wire.Query(1, "server.example")},
		speech{"DHCP", true, 68, 67, wire.DHCP{Type: wire.DHCPDiscover, Xid: 1, Client: mac, Host: "pump"}.Marshal()},
		speech{"TLS", false, 40000, tlsPort, hello(t)})
}

// hello is how the pump begins TLS.
func hello(t *testing.T) []byte {
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		defer client.Close()
		tls.Client(client, &tls.Config{ServerName: "server.example", InsecureSkipVerify: true}).Handshake()
	}()
	b := make([]byte, 4096)
	n, err := server.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// TestWardsSpeakEveryProtocol: each protocol that the agent tells apart is spoken
// by some host of some ward.
func TestWardsSpeakEveryProtocol(t *testing.T) {
	spoken := map[dissect.Protocol]bool{}
	for _, s := range speeches(t) {
		v := dissect.View{SrcPort: s.from, DstPort: s.to, Payload: s.said}
		recognise := dissect.RecogniseStream
		if s.udp {
			recognise = func(_ []byte, next int) (dissect.Protocol, int) { return dissect.RecogniseDatagram(&v, next) }
		}
		for p, next := recognise(s.said, 0); p != 0; p, next = recognise(s.said, next) {
			spoken[p] = true
		}
	}
	for _, p := range dissect.Protocols() {
		if !spoken[p] {
			t.Errorf("nobody speaks %v", p)
		}
	}
}

// TestTsharkAgrees: what others know by name is, judged by tshark, what it is
// meant to be, and nothing of it is malformed.
func TestTsharkAgrees(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is missing: apt-get install tshark")
	}
	file := filepath.Join(t.TempDir(), "wards.pcap")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcap.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	all := speeches(t)
	for i, s := range all {
		src, dst := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String(), "10.200.0.1"
		frame := hosttest.IPv4(src, dst, 6, 0, append(hosttest.TCP(s.from, s.to, hosttest.ACK), s.said...))
		if s.udp {
			frame = hosttest.IPv4(src, dst, 17, 0, hosttest.UDP(s.from, s.to, s.said))
		}
		if err := w.Write(time.Unix(1_800_000_000+int64(i), 0), hosttest.Ethernet(hosttest.MAC(1), hosttest.MAC(2), 0x0800, frame)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tshark", "-r", file, "-d", "tcp.port==4601,hl7", "-d", "tcp.port==5001,xml",
		"-T", "fields", "-e", "frame.protocols", "-e", "_ws.malformed").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	judged := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(judged) != len(all) {
		t.Fatalf("tshark saw %d frames of %d", len(judged), len(all))
	}
	known := map[string]string{"HL7 report": "hl7", "HL7 equipment": "hl7", "Mindray values": "hl7", "HL7 over HTTP": "http", "FHIR": "http", "DICOMweb": "http", "SDC": "http:xml",
		"POCT1-A": "xml", "DICOM association": "dicom", "DHCP": "dhcp", "DNS": "dns", "mDNS": "mdns", "TLS": "tls"}
	seen := map[string]bool{}
	for i, s := range all {
		protocols, malformed, _ := strings.Cut(judged[i], "\t")
		for prefix, want := range known {
			if !strings.HasPrefix(s.what, prefix) || s.what == "SDC context report, answer" { // which has no body
				continue
			}
			seen[prefix] = true
			if !strings.Contains(protocols+":", ":"+want+":") || malformed != "" {
				t.Errorf("%s: %s %s, want %s: %q", s.what, protocols, malformed, want, s.said)
			}
		}
	}
	for prefix := range known {
		if !seen[prefix] {
			t.Errorf("nobody speaks %s", prefix)
		}
	}
}
