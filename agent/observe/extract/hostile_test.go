package extract_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// sample is a message of a protocol. Each length and count that it writes goes
// through l, which may lie; checksums are right for what is written.
type sample struct {
	protocol dissect.Protocol
	port     uint16 // 0 for a connection, else that of a datagram
	lengths  int    // how many it writes
	write    func(l func(int) int) string
}

// plain is a message that holds no length.
func plain(s string) func(func(int) int) string { return func(func(int) int) string { return s } }

// block8 to block32 write a length and what it is the length of.
func block8(l func(int) int, v string) string { return string([]byte{byte(l(len(v)))}) + v }
func block16(l func(int) int, v string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(l(len(v))))) + v
}
func block32(l func(int) int, v string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(l(len(v))))) + v
}

// samples are messages of every medical protocol that is recognised, and of
// serial device servers.
func samples() []sample {
	text := func(p dissect.Protocol, all ...string) (rows []sample) {
		for _, s := range all {
			rows = append(rows, sample{p, 0, 0, plain(s)})
		}
		return rows
	}
	const hl7 = "MSH|^~\\&|A|B|||||ORU^R01|1|P|2.6\rSFT|Maker|2.0|Product|B1\rEQU|E-1||OP\r"
	return slices.Concat(
		text(dissect.ProtocolHL7, "\x0b"+hl7+"\x1c\r"),
		text(dissect.ProtocolHL7Bare, hl7),
		text(dissect.ProtocolMedibus, sum8("\x01R8020'TestVent'01.00:04.00", "")),
		text(dissect.ProtocolASTM, sum8("\x021H|\\^&|||ACME^1.0^SN1|||||||P|LIS2-A2|2026\r\x03", "\n")),
		text(dissect.ProtocolPOCT1A, `<HEL.R01><DEV><DEV.vendor_id V="MKR"/><DEV.model_id V="M1"/><DEV.serial_id V="S-77"/></DEV></HEL.R01>`),
		text(dissect.ProtocolSerialASCII, "!INST_SERIALNO^8002-51733|ACFF\r", "MISCA,706,97,\x02,09:45 ,840 3510012345    ,1,\x03\r", "01/02/26 03:04:05 SN=0000012345 SPO2=97\r\n"),
		[]sample{
			{dissect.ProtocolHTTP, 0, 1, func(l func(int) int) string {
				return fmt.Sprintf("POST /x HTTP/1.1\r\nContent-Type: x-application/hl7-v2+er7\r\nContent-Length: %d\r\n\r\n%s", l(len(hl7)), hl7)
			}},
			{dissect.ProtocolHTTP, 0, 1, func(l func(int) int) string {
				return fmt.Sprintf("POST /x HTTP/1.1\r\nContent-Type: x-application/hl7-v2+er7\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", l(len(hl7)), hl7)
			}},
			{dissect.ProtocolBCC, 0, 1, func(l func(int) int) string {
				body := "\x02" + "1/1/1>1,50111,GNMODEL,688F030006\x1e1,50111,INSERNUM,12345\x03"
				head, sum := fmt.Sprintf("\x01%05d", l(len(body)+12)), 0
				for _, c := range []byte(head + body) {
					sum += int(c)
				}
				return strings.NewReplacer("D", "EX", "E", "EE", "d", "ex", "e", "ee").Replace(fmt.Sprintf("%s%s%05d\x04", head, body, sum%256))
			}},
			{dissect.ProtocolDICOM, 0, 13, func(l func(int) int) string {
				item := func(kind byte, v string) string { return string([]byte{kind, 0}) + block16(l, v) }
				syntax := item(0x30, "1.2.840.10008.5.1.4.1.1.2") + item(0x40, "1.2.840.10008.1.2")
				return "\x01\x00" + block32(l, "\x00\x01\x00\x00"+aeTitle("PACS")+aeTitle("CT7")+strings.Repeat("\x00", 32)+item(0x10, "1.2.840.10008.3.1.1.1")+
					item(0x20, "\x01\x00\x00\x00"+syntax)+item(0x50, item(0x51, "\x00\x00\x40\x00")+item(0x52, "1.2.276.0.7230010.3")+item(0x54, block16(l, "1.2.840.10008.5.1.4.1.1.2")+"\x00\x01")+item(0x55, "TOOL_1"))+
					item(0x20, "\x03\x00\x00\x00"+item(0x30, "1.2.840.10008.1.1")))
			}},
			{dissect.ProtocolDRI, 0, 1, func(l func(int) int) string {
				b := []byte("\x00\x00\x01\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00")
				b = append(b, strings.Repeat("\x00\x00\xff", 7)...)
				b = append(b, "\x00\x00\x40\x97\x00\x00\x01\x0a\x00\x08\x00"...)
				binary.LittleEndian.PutUint16(b, uint16(l(len(b))))
				sum := byte(0)
				for _, c := range b {
					sum += c
				}
				return "\x7e" + strings.NewReplacer("\x7e", "\x7d\x5e", "\x7d", "\x7d\x5d").Replace(string(append(b, sum))) + "\x7e"
			}},
			{dissect.ProtocolPHD, 0, 5, func(l func(int) int) string {
				part := block16(l, "\x80\x00\x00\x00\xa0\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00"+block16(l, "\x11\x22\x33\x44\x55\x66\x77\x88")+"\x01\x90\x00\x01\x01\x00\x00\x00\x00\x00")
				return "\xe2\x00" + block16(l, "\x80\x00\x00\x00"+string(binary.BigEndian.AppendUint16(nil, uint16(l(1))))+block16(l, "\x50\x79"+part))
			}},
			{dissect.ProtocolPHD, 0, 16, func(l func(int) int) string {
				count := func(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(l(n)))) }
				list := "\x09\x28" + block16(l, block16(l, "Maker")+block16(l, "Model")) + "\x0a\x44" + block16(l, "\x01\x90") +
					"\x09\x2d" + block16(l, count(2)+block16(l, "\x00\x01\x00\x00"+block16(l, "SN12")+"\x00\x05\x00\x00"+block16(l, "FW3"))) +
					"\x09\x84" + block16(l, block16(l, "\x11\x22\x33\x44\x55\x66\x77\x88"))
				return "\xe7\x00" + block16(l, block16(l, "\x00\x01\x02\x03"+block16(l, "\x00\x00"+count(4)+block16(l, list))))
			}},
			{dissect.ProtocolWSDiscovery, 3702, 0, plain(string(soap("<d:Hello><a:EndpointReference><a:Address>urn:uuid:00000000-0000-1000-8000-0009fb000001</a:Address></a:EndpointReference>" +
				"<d:Types>dpws:Device m:MedicalDevice</d:Types><d:Scopes>sdc.cdc.type:///69985</d:Scopes></d:Hello>")))},
			{dissect.ProtocolIntelliVue, 24005, 17, func(l func(int) int) string {
				count := func(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(l(n)))) }
				list := "\x09\x86" + block16(l, "\x00\x01\x11\x4d") + "\x09\x84" + block16(l, block16(l, "\x00\x09\xfb\xff\xff\x00\x00\x01")) + "\x09\x28" + block16(l, block16(l, "Philips\x00")+block16(l, "866062\x00\x00")) +
					"\x09\x2d" + block16(l, count(3)+block16(l, "\x00\x01\x00\x08"+block16(l, "DE12345678\x00\x09")+"\x00\x03\x00\x08"+block16(l, " A.00.30")+"\x00\x04\x00\x58"+block16(l, "L.01.18\n")))
				event := "\x00\x23\x00\x00\x00\x00\x00\x00\x10\x00\x0d\x17" + block16(l, count(4)+block16(l, list))
				return "\x00\x00\x01\x00\x00\x01" + block16(l, "\x00\x00\x00\x00"+block16(l, event))
			}},
			{dissect.ProtocolIntelliVue, 24105, 9, func(l func(int) int) string {
				count := func(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(l(n)))) }
				list := "\x09\x28" + block16(l, block16(l, "Maker\x00")+block16(l, "M8\x00\x00")) + "\x09\x46" + block16(l, "\x40\x00")
				return "\xe1\x00\x00\x02\x00\x01" + block16(l, "\x00\x01\x00\x01"+block16(l, "\x00\x21\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x06"+block16(l, "\x00\x21\x00\x00\x00\x00"+count(2)+block16(l, list))))
			}},
			{dissect.ProtocolIntelliVue, 24105, 2, func(l func(int) int) string {
				return "\x0e" + block8(l, "\x05\x08\x13\x01\x00\x16\x01\x02\x80\x00\x14\x02\x00\x02"+"\xc1\x10\x31\x80\x06\x0c"+block8(l, "\x2a\x86\x48\xce\x14\x02\x01\x00\x00\x00\x01\x01"))
			}},
			{dissect.ProtocolIntelliVue, 24106, 11, func(l func(int) int) string {
				count := func(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(l(n)))) }
				list := "\x09\x1e" + block16(l, "bed1") + "\x09\x46" + block16(l, "\x00\x02")
				context := "\x00\x00" + count(1) + block16(l, "\x00\x01"+count(2)+block16(l, list))
				reply := strings.Repeat("\x00", 14) + "\x00\x01\x00\x21\x00\x00" + count(1) + block16(l, context)
				return "\xe1\x00\x00\x02\x00\x02" + block16(l, "\x00\x01\x00\x07"+block16(l, "\x00\x21\x00\x00\x00\x00\x0c\x16"+block16(l, reply)))
			}},
			{dissect.ProtocolAeroScout, 1144, 1, func(l func(int) int) string {
				return "\x7c\x83\x00\x01\xd9\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(l(16)))) + "\x00\x1a\x1e\x00\x00\x01\x00\x01"
			}},
			{dissect.ProtocolUnity, 7000, 1, func(l func(int) int) string {
				b := string(be("\x01\x04\x00\x00", pump.ip, uint32(1600000000), strings.Repeat("\x00", 31), uint8(l(2)), "\x00\x03\x07\xd0\x00\x13\x0b\xb8"))
				return b + strings.Repeat("\x00", 88-len(b))
			}},
			{dissect.ProtocolUnity, 7001, 0, plain(string(unityVitals(pump.ip)))},
			{dissect.ProtocolMindray, 4600, 0, plain("MSH|^~\\&|A7|WARD|||||ADT^A01|101|P|2.3.1|\rPID|1||x\r")},
			{dissect.ProtocolADDP, 2362, 6, func(l func(int) int) string {
				return "DIGI\x00\x02" + block16(l, "\x01"+block8(l, "\x00\x40\x9d\x00\x00\x01")+"\x04"+block8(l, "name\x08\x02")+"\x08"+block8(l, "v82")+"\x0d"+block8(l, "Connect")+"\x12"+block8(l, "\x04"))
			}},
			{dissect.ProtocolMoxa, 4800, 1, func(l func(int) int) string {
				return string(be("\x81\x00", uint16(l(30)), uint32(0), "\x10\x51\x00\x80\x10\x51\x00\x90\xe8\x00\x00\x01", pump.ip, "BOX001"))
			}},
			{dissect.ProtocolLantronix, 30718, 0, plain("\x00\x00\x00\xf7BOX001")},
		})
}

// truth writes a length as it is.
func truth(n int) int { return n }

// lies are what is written instead of a length; below zero, all bits of a binary
// one are set.
func lies(n int) []int {
	return []int{0, 1, n - 1, n + 1, n - 2, n + 2, n - 4, n + 4, n / 2, 2 * n, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, -1}
}

// lied are the messages of a sample with one length that lies.
func (s *sample) lied() (all []string) {
	for k := range s.lengths {
		for which := range len(lies(0)) {
			at := -1
			all = append(all, s.write(func(n int) int {
				if at++; at == k {
					return lies(n)[which]
				}
				return n
			}))
		}
	}
	return all
}

// frames are a sample in frames from a port: a segment for each piece, or one
// datagram, and the end of the connection.
func (s *sample) frames(port uint16, pieces ...string) (frames [][]byte) {
	device := pump
	if s.protocol == dissect.ProtocolLantronix { // which the maker's prefix must prove
		device.mac = fact.MAC{0, 0x20, 0x4a, 0, 0, 1}
	}
	if s.port != 0 {
		frames = append(frames, udp(end{server.mac, server.ip, port}, end{device.mac, device.ip, port}, []byte("?"))) // who never spoke is no client
		for _, data := range pieces {
			frames = append(frames, udp(end{device.mac, device.ip, port}, end{server.mac, server.ip, port}, []byte(data)))
		}
		return frames
	}
	to := end{server.mac, server.ip, port}
	frames, seq := append(frames, tcp(device, to, syn, 999, nil), tcp(to, device, syn|ack, 4999, nil)), uint32(1000)
	for _, data := range pieces {
		if len(data) > 0 {
			frames = append(frames, tcp(device, to, ack, seq, []byte(data)))
		}
		seq += uint32(len(data))
	}
	return append(frames, tcp(device, to, rst, seq, nil))
}

// byPort are the protocols that only their port tells.
func byPort(p dissect.Protocol) bool {
	return p == dissect.ProtocolMindray || p == dissect.ProtocolMoxa || p == dissect.ProtocolLantronix
}

// TestHostile: however a message is cut, split, moved to another port or lies
// of its lengths, no fact comes out that the whole message does not hold.
func TestHostile(t *testing.T) {
	tried := make(map[dissect.Protocol]bool)
	for _, s := range samples() {
		tried[s.protocol] = true
		t.Run(fmt.Sprintf("%v %d", s.protocol, s.port), func(t *testing.T) {
			whole, n := s.write(truth), 0
			if s.write(func(v int) int { n++; return v }); n != s.lengths {
				t.Fatalf("%d lengths are written, the row says %d", n, s.lengths)
			}
			port := max(s.port, 1234)
			want := said(s.frames(port, whole)...)
			if !slices.ContainsFunc(want, func(line string) bool { return medical(line[2:]) }) {
				t.Fatalf("nothing medical is said: %v", want)
			}
			reported := make(map[string]bool)
			wrong := func(what string, b string, got []string) {
				t.Helper()
				for _, line := range got {
					if !slices.Contains(want, line) && !reported[what+line] {
						reported[what+line] = true
						t.Errorf("%s: %q of\n%q\ninstead of\n%q", what, line, b, whole)
					}
				}
			}
			for i := range whole {
				wrong("cut", whole[:i], said(s.frames(port, whole[:i])...))
				got := said(s.frames(port, whole[:i], whole[i:])...)
				switch {
				case s.port != 0:
				case s.protocol == dissect.ProtocolHL7Bare: // nothing tells that it goes on
					wrong("split", whole[:i], got)
				case !slices.Equal(got, want):
					t.Errorf("split at byte %d: %q, want %q", i, got, want)
				}
				if s.port != 0 && i > 0 && i%8 == 0 {
					asked := s.frames(port, whole)
					if got = said(append(asked[:1:1], fragments(asked[1], i)...)...); !slices.Equal(got, want) {
						t.Errorf("in fragments of %d bytes: %q, want %q", i, got, want)
					}
				}
			}
			for _, other := range []uint16{9, 80, 104, 2575, 3702, 4600, 7000, 9100, 24005, 24105, 50000} {
				if byPort(s.protocol) || other == 7000 && s.port != 0 && s.port != other { // there a part of what is no RWHAT is blanked too
					continue
				}
				if got := said(s.frames(other, whole)...); !slices.Equal(got, want) {
					t.Errorf("on port %d: %q, want %q", other, got, want)
				}
			}
			for _, b := range s.lied() {
				wrong("a length that lies", b, said(s.frames(port, b)...))
			}
		})
	}
	for _, p := range dissect.Protocols() {
		switch p {
		case dissect.ProtocolTLS, dissect.ProtocolDHCPv4, dissect.ProtocolMDNS, dissect.ProtocolDNS:
			continue // not medical
		}
		if !tried[p] {
			t.Errorf("%v: no sample", p)
		}
	}
}

// TestLiesAllocateNothing: no memory is taken because a message says that it is
// long.
func TestLiesAllocateNothing(t *testing.T) {
	for _, s := range samples() {
		x := extract.New(extract.Options{Flows: 64, Streams: 16, Sink: func(fact.Batch) bool { return true }})
		var frames [][]byte
		for _, b := range append(s.lied(), s.write(truth)) {
			frames = append(frames, s.frames(max(s.port, 1234), b)...)
		}
		run := func() {
			for i, f := range frames {
				x.Frame(frame(platform.DirUnknown, float64(i)/1000, f))
			}
		}
		run()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / uint64(len(frames)); n > 1<<10 {
			t.Errorf("%v: %d bytes allocated a frame", s.protocol, n)
		}
	}
}

// TestAnswerToLongAssociation: which contexts a server accepts as what is not
// known where the roles in the request were not seen.
func TestAnswerToLongAssociation(t *testing.T) {
	head := "\x00\x01\x00\x00" + aeTitle("PACS") + aeTitle("US7") + strings.Repeat("\x00", 32) + dicomItem(0x10, "1.2.840.10008.3.1.1.1")
	long := dicomPDU(1, head+dicomContext(1, "1.2.840.10008.5.1.4.1.1.2")+strings.Repeat(dicomContext(3, "1.2.840.10008.1.1"), 400)+dicomItem(0x50, dicomItem(0x54, "\x00\x191.2.840.10008.5.1.4.1.1.2\x00\x01")))
	answer := tcp(server, pump, ack, 5000, []byte(dicomPDU(2, head+dicomItem(0x21, "\x01\x00\x00\x00")+dicomItem(0x50, ""))))
	want := []string{"1 dicom.ae_title US7", "9 dicom.ae_title_called_as PACS"}
	if got := said(append(stream(long, 1400), answer)...); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
