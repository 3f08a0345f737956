package extract_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

var (
	pump   = at(1, "192.0.2.1", 40000)
	server = at(9, "192.0.2.9", 2575)
)

// run feeds frames, all in one direction and a millisecond apart, and returns
// all that came out.
func run(dir platform.Direction, frames ...[]byte) (all fact.Batch) {
	x := extract.New(extract.Options{Port: "w1", Sink: func(b fact.Batch) bool {
		all.Facts = append(all.Facts, b.Facts...)
		all.Sightings = append(all.Sightings, b.Sightings...)
		all.Flows = append(all.Flows, b.Flows...)
		return true
	}})
	for i, f := range frames {
		x.Frame(frame(dir, float64(i)/1000, f))
	}
	x.Close()
	return all
}

// lines writes facts as "last byte of the MAC, kind, value", sorted; the kinds
// that nearly every frame gives are left out unless asked for.
func lines(facts []fact.Fact, only ...fact.Kind) (out []string) {
	for _, f := range facts {
		usual := f.Kind == fact.Serves || f.Kind == fact.Uses || f.Kind == fact.MulticastTo
		if len(only) > 0 && !slices.Contains(only, f.Kind) || len(only) == 0 && usual {
			continue
		}
		value := f.Value.String()
		if f.Value.Personal() {
			value = "(personal)"
		}
		out = append(out, fmt.Sprintf("%d %s %s", f.MAC[5], f.Kind, value))
	}
	slices.Sort(out)
	return out
}

const oru = "\x0bMSH|^~\\&|PUMP^0012210000000001^EUI-64|WARD|ENGINE|HOSP|20260101||ORU^R01^ORU_R01|1|P|2.6|||||||||IHE_PCD_001\r" +
	"PID|1||CANARY1||CANARY2^CANARY3\r" +
	"OBX|1|NM|69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|CANARY4|||||||||||CANARY5||Infusomat Space^^0012210000000001^EUI-64\r" +
	"PRT|1|UC||EQUIP||||||Infusomat Space||||||07612345678900|20250101|20300101|LOT1|SN123||69985^MDC_DEV_PUMP_INFUS_MDS^MDC\r\x1c\r"

var oruFacts = []string{
	"1 hl7.msh12_version 2.6", "1 hl7.msh21_profile IHE_PCD_001", "1 hl7.msh3_sending_app PUMP_0012210000000001_EUI-64",
	"1 hl7.msh4_sending_facility WARD", "1 hl7.msh9_type ORU_R01_ORU_R01", "1 hl7.obx18_equipment Infusomat Space__0012210000000001_EUI-64",
	"1 hl7.obx3_device 69985", "1 hl7.prt10_device Infusomat Space", "1 hl7.prt16_udi 07612345678900", "1 hl7.prt19_lot LOT1",
	"1 hl7.prt20_serial SN123", "1 hl7.prt22_type 69985_MDC_DEV_PUMP_INFUS_MDS_MDC", "9 hl7.receives ORU_R01_ORU_R01",
}

// stream is a connection whose client sends the data in segments of size bytes.
func stream(data string, size int) (frames [][]byte) {
	frames = append(frames, tcp(pump, server, syn, 999, nil), tcp(server, pump, syn|ack, 0, nil))
	for off := 0; off < len(data); off += size {
		frames = append(frames, tcp(pump, server, ack, 1000+uint32(off), []byte(data[off:min(off+size, len(data))])))
	}
	return frames
}

func TestFacts(t *testing.T) {
	all := at(255, "255.255.255.255", 67)
	all.mac = broadcast
	group := at(0, "224.0.0.251", 5353)
	group.mac = fact.MAC{1, 0, 0x5e, 0, 0, 0xfb}
	client := end{pump.mac, netip.MustParseAddr("0.0.0.0"), 68}
	lldp := end{mac: fact.MAC{1, 0x80, 0xc2, 0, 0, 0x0e}}
	mdnsFrom := end{pump.mac, pump.ip, 5353}

	hl7Split := stream(oru, 100)
	hl7Fragmented := append(stream(oru[:300], 300), fragments(tcp(pump, server, ack, 1300, []byte(oru[300:])), 64)...)
	us, mr := "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.4"
	context := func(id uint8, uid string) []byte {
		return item(0x20, uint32(id)<<24, item(0x30, uid), item(0x40, "1.2.840.10008.1.2"))
	}
	answer := func(id, result uint8) []byte {
		return item(0x21, uint32(id)<<24|uint32(result)<<8, item(0x40, "1.2.840.10008.1.2"))
	}
	hello := string(clientHello(t, "pumps.example.org"))
	monitor := at(3, "192.0.2.3", 24105)
	association := func(kind uint8) []byte { // session header, then the identifier of the ACSE
		return be(kind, uint8(10), "\x01\x02\x03\x2a\x86\x48\xce\x14\x02\x01")
	}

	tests := []struct {
		name   string
		frames [][]byte
		want   []string
	}{
		{"DHCP request", [][]byte{udp(client, all, dhcp(1, pump.mac, "0.0.0.0", option(53, "\x01"), option(12, "pump-7-bed12"),
			option(60, "udhcp 1.30"), option(55, "\x01\x03\x06")))},
			[]string{"1 dhcp.hostname pump-7", "1 dhcp.prl 1,3,6", "1 dhcp.vendor_class udhcp 1.30"}},
		{"DHCP behind a relay", [][]byte{udp(at(8, "192.0.2.8", 67), at(9, "192.0.2.9", 67),
			dhcp(1, pump.mac, "192.0.2.8", option(60, "udhcp 1.30")))}, []string{"1 dhcp.vendor_class udhcp 1.30"}},
		{"DHCP answer", [][]byte{udp(at(9, "192.0.2.9", 67), at(1, "192.0.2.1", 68), dhcp(2, pump.mac, "0.0.0.0", option(12, "no")))},
			[]string{"9 dhcp.server yes"}},
		{"personal name", [][]byte{udp(client, all, dhcp(1, pump.mac, "0.0.0.0", option(12, "Annas-iPhone")))},
			[]string{"1 dhcp.hostname (personal)"}},
		{"mDNS answer", [][]byte{udp(mdnsFrom, group, mdns(0x8400,
			record(name("_services", "_dns-sd", "_udp", "local"), 12, name("_ipp", "_tcp", "local")),
			record(name("_ipp", "_tcp", "local"), 12, name("Anna's printer", "_ipp", "_tcp", "local")),
			record(name("Anna's printer", "_ipp", "_tcp", "local"), 16, be("\x0aty=Laser 9", "\x0bnote=secret", "\x0busb_MFG=ACM")),
			record(name("laser9", "local"), 1, be(pump.ip))))},
			[]string{"1 mdns.maker ACM", "1 mdns.model Laser 9", "1 mdns.name _ipp._tcp.local", "1 mdns.name laser9.local", "1 mdns.ptr _ipp._tcp.local"}},
		{"mDNS question with known answers", [][]byte{udp(mdnsFrom, group, mdns(0, record(name("_ipp", "_tcp", "local"), 12, name("x", "_ipp", "_tcp", "local"))))}, nil},
		{"DNS answer", [][]byte{udp(at(9, "192.0.2.53", 53), pump, mdns(0x8180, record(name("example", "org"), 1, be(pump.ip))))},
			[]string{"9 dns.server yes"}},
		{"LLDP", [][]byte{ethernet(pump, lldp, 0x88cc, be(tlv(1, uint8(4), pump.mac), tlv(2, uint8(5), "1"), tlv(3, uint16(120)),
			tlv(5, "switch-1"), tlv(6, "Switch OS 7"), tlv(7, uint16(0x14), uint16(0x14)), tlv(0)))},
			[]string{"1 lldp.capabilities bridge,router", "1 lldp.chassis_mac 02:00:00:00:00:01", "1 lldp.sysdescr Switch OS 7", "1 lldp.sysname switch-1"}},
		{"TLS hello in two segments", stream(hello, 200), append([]string{"1 tls.alpn h2", "1 tls.alpn http/1.1"}, "1 tls.sni pumps.example.org")},
		{"HTTP request and answer", [][]byte{
			tcp(pump, server, ack, 1, []byte("GET /secret?patient=CANARY HTTP/1.1\r\nHost: x\r\nUser-Agent: pump/1.2\r\nCookie: CANARY\r\n\r\n")),
			tcp(server, pump, ack, 1, []byte("HTTP/1.1 200 OK\r\nServer: engine/3\r\n\r\nCANARY")),
			tcp(server, pump, ack, 500, []byte("HTTP/1.1 200 OK\r\nServer: other/4\r\nContent-")),
			tcp(server, pump, ack|fin, 542, nil),
		}, []string{"1 http.user_agent pump/1.2", "9 http.server engine/3", "9 http.server other/4"}},
		{"HL7 in many segments", hl7Split, oruFacts},
		{"HL7 in IP fragments", hl7Fragmented, oruFacts},
		{"HL7 in the middle, second frame of a segment", [][]byte{tcp(pump, server, ack, 1, []byte("\x0bMSH|^~\\&|A|B|||||ACK\r\x1c\r"+oru))},
			slices.DeleteFunc(append([]string{"1 hl7.msh3_sending_app A", "1 hl7.msh4_sending_facility B", "1 hl7.msh9_type ACK"}, oruFacts...),
				func(s string) bool { return strings.HasPrefix(s, "9 ") })}, // who never answered may not be there
		{"DICOM association", [][]byte{
			tcp(pump, server, syn, 0, nil), tcp(server, pump, syn|ack, 0, nil),
			tcp(pump, server, ack, 1, associate(1, "PACS", "US7", context(1, us), context(3, mr))),
			tcp(server, pump, ack, 1, associate(2, "PACS", "US7", answer(1, 0), answer(3, 3))),
			tcp(pump, server, ack, 5000, pdu(4, uint32(6), uint8(1), uint8(2), "CANARY")),
		}, []string{
			"1 dicom.ae_title US7", "1 dicom.impl_class_uid 1.2.3.4", "1 dicom.impl_version TEST_1", "1 dicom.scu_proposes " + us,
			"1 dicom.scu_proposes " + mr, "1 dicom.stores " + us, "9 dicom.ae_title_called_as PACS", "9 dicom.impl_class_uid 1.2.3.4",
			"9 dicom.impl_version TEST_1", "9 dicom.scp_accepts " + us,
		}},
		{"DICOM data of an association that was not seen", [][]byte{tcp(pump, server, ack, 5000, pdu(4, uint32(6), uint8(1), uint8(2), "CANA"))},
			[]string{"1 dicom.p_data yes"}},
		{"IntelliVue association that nobody accepts", [][]byte{udp(at(7, "192.0.2.7", 40000), monitor, association(0x0d))}, nil},
		{"IntelliVue association", [][]byte{udp(at(7, "192.0.2.7", 40000), monitor, association(0x0d)), udp(monitor, at(7, "192.0.2.7", 40000), association(0x0e))},
			[]string{"7 intellivue.client yes"}},
		{"router", [][]byte{routerAdvertisement(1800), routerAdvertisement(0)}, []string{"1 ndp.router yes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := lines(run(platform.DirUnknown, tt.frames...).Facts)
			got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "tls.ja") }) // change with Go's version
			want := slices.Sorted(slices.Values(tt.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			for _, l := range got {
				if strings.Contains(l, "CANARY") || strings.Contains(l, "Anna") {
					t.Errorf("leaked: %s", l)
				}
			}
		})
	}
}

func routerAdvertisement(lifetime uint16) []byte {
	group := at(0, "ff02::1", 0)
	group.mac = fact.MAC{0x33, 0x33, 0, 0, 0, 1}
	ra := be(uint8(134), uint8(0), uint16(0), uint8(64), uint8(0), lifetime, uint32(0), uint32(0))
	return ethernet(pump, group, 0x86dd, be(uint32(0x60000000), uint16(len(ra)), uint8(58), uint8(255),
		netip.MustParseAddr("fe80::1"), group.ip, ra))
}

// TestLive: on a ward port a fact is stated about the device on the port alone.
func TestLive(t *testing.T) {
	rq := associate(1, "PUMPAE", "PACSAE")
	client := end{pump.mac, netip.MustParseAddr("0.0.0.0"), 68}
	all := at(255, "255.255.255.255", 67)
	all.mac = broadcast
	here := func(seconds float64) platform.Frame {
		return frame(platform.Ingress, seconds, tcp(pump, server, ack, 1, nil))
	}
	device := at(1, "192.0.2.1", 104)
	other := at(7, "192.0.2.7", 104)
	tests := []struct {
		name   string
		frames []platform.Frame
		want   []string
	}{
		{"server outside answers", []platform.Frame{
			frame(platform.Ingress, 0, tcp(pump, server, syn, 0, nil)), frame(platform.Egress, 0.1, tcp(server, pump, syn|ack, 0, nil)),
			frame(platform.Egress, 0.2, tcp(server, pump, ack, 1, []byte("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"))),
		}, []string{"1 service.uses tcp/2575"}},
		{"device answers", []platform.Frame{
			here(0), frame(platform.Egress, 0.1, tcp(server, device, syn, 0, nil)), frame(platform.Ingress, 0.2, tcp(device, server, syn|ack, 0, nil)),
			frame(platform.Egress, 0.3, tcp(server, device, ack, 1, rq)),
		}, []string{"1 dicom.ae_title_called_as PUMPAE", "1 service.serves tcp/104"}},
		{"device is called and does not answer", []platform.Frame{
			here(0), frame(platform.Egress, 0.1, tcp(server, device, syn, 0, nil)), frame(platform.Egress, 0.2, tcp(server, device, ack, 1, rq)),
		}, nil},
		{"device is called and refuses", []platform.Frame{
			here(0), frame(platform.Egress, 0.1, tcp(server, device, syn, 0, nil)), frame(platform.Ingress, 0.2, tcp(device, server, rst|ack, 0, nil)),
			frame(platform.Egress, 0.3, tcp(server, device, ack, 1, rq)),
		}, nil},
		{"device calls", []platform.Frame{frame(platform.Ingress, 0, tcp(pump, server, ack, 1, rq))},
			[]string{"1 dicom.ae_title PACSAE", "1 dicom.impl_class_uid 1.2.3.4", "1 dicom.impl_version TEST_1"}},
		{"flooded to the port", []platform.Frame{here(0), frame(platform.Egress, 0.1, tcp(server, other, ack, 1, rq))}, nil},
		{"broadcast of another port", []platform.Frame{here(0), frame(platform.Egress, 0.1, udp(client, all, dhcp(1, other.mac, "0.0.0.0", option(12, "x"))))}, nil},
		{"request in another's name", []platform.Frame{frame(platform.Ingress, 0, udp(client, all, dhcp(1, other.mac, "0.0.0.0", option(12, "victim"))))},
			[]string{"1 service.group udp/67 255.255.255.255"}},
		{"request in another's name, as a relay", []platform.Frame{frame(platform.Ingress, 0, udp(pump, server, dhcp(1, other.mac, "192.0.2.8", option(12, "victim"))))}, nil},
		{"own request", []platform.Frame{frame(platform.Ingress, 0, udp(client, all, dhcp(1, pump.mac, "0.0.0.0", option(12, "pump"))))},
			[]string{"1 dhcp.hostname pump", "1 service.group udp/67 255.255.255.255"}},
		{"datagram answered", []platform.Frame{
			frame(platform.Ingress, 0, udp(pump, at(9, "192.0.2.9", 161), []byte("q"))), frame(platform.Egress, 0.1, udp(at(9, "192.0.2.9", 161), pump, []byte("a"))),
		}, []string{"1 service.uses udp/161"}},
		{"other protocol to a group", []platform.Frame{frame(platform.Ingress, 0, ethernet(pump, end{mac: fact.MAC{1, 0x0c, 0xcd, 1, 0, 1}}, 0x88b8, []byte("x")))},
			[]string{"1 service.group ether/0x88b8 01:0c:cd:01:00:01"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var facts []fact.Fact
			x := extract.New(extract.Options{Port: "w1", Sink: func(b fact.Batch) bool {
				if b.Port != "w1" {
					t.Errorf("batch of port %q", b.Port)
				}
				facts = append(facts, b.Facts...)
				return true
			}})
			for _, f := range tt.frames {
				x.Frame(f)
			}
			x.Close()
			got := lines(facts)
			got = append(got, lines(facts, fact.Serves, fact.Uses, fact.MulticastTo)...)
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSightings(t *testing.T) {
	arp := func(sender fact.MAC, ip string) []byte {
		return ethernet(pump, end{mac: broadcast}, 0x0806, be(uint32(0x00010800), uint8(6), uint8(4), uint16(1), sender,
			netip.MustParseAddr(ip), fact.MAC{}, netip.MustParseAddr("192.0.2.9")))
	}
	tests := []struct {
		name   string
		frames [][]byte
		want   []string
	}{
		{"the same twice", [][]byte{tcp(pump, server, ack, 1, nil), tcp(pump, server, ack, 1, nil)}, []string{"1 192.0.2.1"}},
		{"ARP", [][]byte{arp(pump.mac, "192.0.2.7")}, []string{"1 192.0.2.7"}},
		{"ARP in another's name", [][]byte{arp(server.mac, "192.0.2.7")}, []string{"1 invalid IP"}},
		{"ARP probe", [][]byte{arp(pump.mac, "0.0.0.0")}, []string{"1 invalid IP"}},
		{"group as source", [][]byte{tcp(end{broadcast, pump.ip, 1}, server, ack, 1, nil)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range run(platform.Ingress, tt.frames...).Sightings {
				got = append(got, fmt.Sprint(s.MAC[5], " ", s.IP))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sightings (-want +got):\n%s", diff)
			}
		})
	}
	if n := len(run(platform.Egress, tcp(server, pump, ack, 1, nil)).Sightings); n != 0 {
		t.Errorf("%d sightings of frames that go out, want 0", n)
	}
}

func TestRepetition(t *testing.T) {
	client := end{pump.mac, netip.MustParseAddr("0.0.0.0"), 68}
	all := at(255, "255.255.255.255", 67)
	all.mac = broadcast
	b := udp(client, all, dhcp(1, pump.mac, "0.0.0.0", option(60, "udhcp")))
	facts, sightings, flows, batches := 0, 0, uint64(0), 0
	x := extract.New(extract.Options{Sink: func(b fact.Batch) bool {
		batches++
		facts += len(lines(b.Facts))
		sightings += len(b.Sightings)
		for _, f := range b.Flows {
			flows += f.PacketsFrom
		}
		return true
	}})
	for i := range 300 { // 30 seconds, ten a second
		x.Frame(frame(platform.Ingress, float64(i)/10, b))
	}
	if facts != 1 || sightings < 28 || sightings > 31 || batches > 31 {
		t.Errorf("%d facts, %d sightings, %d batches in 30 s; want 1, about 30, about 30", facts, sightings, batches)
	}
	x.Tick(2 * time.Second)
	if flows != 300 {
		t.Errorf("%d packets in the deltas after a quiet second, want 300", flows)
	}
	x.Frame(frame(platform.Ingress, 100, b))
	x.Close()
	if facts != 2 {
		t.Errorf("%d facts after 100 s, want 2", facts)
	}
}

// TestClockIsSetBackALittle: what comes after is handed over at once, not when
// the clock is where it was.
func TestClockIsSetBackALittle(t *testing.T) {
	packets := uint64(0)
	x := extract.New(extract.Options{Port: "w1", Sink: func(b fact.Batch) bool {
		for _, f := range b.Flows {
			packets += f.PacketsFrom
		}
		return true
	}})
	for i := range 50 { // ten a second, the clock set back by 30 s in the middle
		at := float64(i) / 10
		if i >= 20 {
			at -= 30
		}
		x.Frame(frame(platform.Ingress, at, udp(pump, server, []byte("x"))))
	}
	if packets < 35 {
		t.Errorf("%d packets of 50 handed over", packets)
	}
}

// TestClockIsSet: a box without a clock boots in 1970 and is set later, back or
// forth; flows stay, and deltas go on.
func TestClockIsSet(t *testing.T) {
	var flows []fact.Flow
	x := extract.New(extract.Options{Sink: func(b fact.Batch) bool { flows = append(flows, b.Flows...); return true }})
	times := []float64{0, 1.1, -1e6, -1e6 + 1.1, -1e6 + 2.2}
	for _, s := range times {
		x.Frame(frame(platform.Ingress, s, udp(pump, server, []byte("x"))))
	}
	x.Close()
	packets := uint64(0)
	for _, f := range flows {
		packets += f.PacketsFrom
	}
	if s := x.Stats(); s.Flows.Flows != 1 || packets != uint64(len(times)) || len(flows) < 3 {
		t.Errorf("%d flows, %d deltas, %d packets; want 1 flow, 3 deltas or more, %d packets", s.Flows.Flows, len(flows), packets, len(times))
	}
}

func TestFullSinkIsCounted(t *testing.T) {
	x := extract.New(extract.Options{Sink: func(fact.Batch) bool { return false }})
	x.Frame(frame(platform.Ingress, 0, tcp(pump, server, syn, 1, nil)))
	x.Close()
	if s := x.Stats(); s.Refused != 1 || s.Frames != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestHeaderPathAllocatesNothing(t *testing.T) {
	x := extract.New(extract.Options{Sink: func(fact.Batch) bool { return true }})
	client := end{pump.mac, netip.MustParseAddr("0.0.0.0"), 68}
	all := at(255, "255.255.255.255", 67)
	all.mac = broadcast
	var frames []platform.Frame
	for _, b := range [][]byte{
		tcp(pump, server, ack, 1, []byte("bulk")), tcp(server, pump, ack, 1, []byte("bulk")), udp(pump, server, []byte("data")),
		udp(client, all, dhcp(1, pump.mac, "0.0.0.0", option(12, "pump"), option(55, "\x01\x03"))),
		tcp(pump, server, ack, 1000, []byte("GET / HTTP/1.1\r\nUser-Agent: x\r\n\r\n")), routerAdvertisement(1),
	} {
		frames = append(frames, frame(platform.Ingress, 0, b))
	}
	run := func() {
		for _, f := range frames {
			x.Frame(f)
		}
	}
	run()
	if n := testing.AllocsPerRun(200, run); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
}

// FuzzPipeline: frames in, facts out; whatever comes out is printable and of
// its kind.
func FuzzPipeline(f *testing.F) {
	f.Add(uint8(1), clientHello(f, "a.example"), uint16(100))
	f.Add(uint8(2), []byte(oru), uint16(64))
	f.Add(uint8(3), dhcp(1, pump.mac, "0.0.0.0", option(12, "x")), uint16(0))
	f.Add(uint8(4), mdns(0x8400, record(name("_ipp", "_tcp", "local"), 16, be("\x04ty=x"))), uint16(0))
	f.Add(uint8(5), associate(1, "A", "B"), uint16(50))
	for _, c := range medicalTalks() {
		f.Add(uint8(1), []byte(c.client), uint16(100))
		f.Add(uint8(2), []byte(c.server), uint16(7))
	}
	f.Add(uint8(0), ethernet(pump, server, 0x88cc, be(tlv(1, uint8(4), pump.mac), tlv(5, "n"), tlv(0))), uint16(1))
	f.Fuzz(func(t *testing.T, how uint8, data []byte, cut uint16) {
		var frames [][]byte
		switch how % 6 {
		case 0:
			frames = [][]byte{data}
		case 3:
			frames = [][]byte{udp(end{pump.mac, pump.ip, 68}, end{broadcast, server.ip, 67}, data)}
		case 4:
			frames = [][]byte{udp(end{pump.mac, pump.ip, 5353}, end{server.mac, server.ip, 5353}, data)}
		default:
			frames = stream(string(data), 1+int(cut)%1400)
		}
		if how&0x80 != 0 && len(frames[0]) > 34 {
			frames = append(frames, fragments(frames[len(frames)-1], 8+int(cut)&^7)...)
		}
		for _, dir := range []platform.Direction{platform.DirUnknown, platform.Ingress, platform.Egress} {
			for _, fc := range run(dir, frames...).Facts {
				s := fc.Value.String()
				if again, ok := fact.New(fc.Kind, s); s != "" && (!ok || again.String() != s) {
					t.Fatalf("%s: %q does not pass its own gate", fc.Kind, s)
				}
				for _, c := range []byte(s) {
					if c < ' ' || c > '~' {
						t.Fatalf("%s: unprintable byte %#x", fc.Kind, c)
					}
				}
			}
		}
	})
}
