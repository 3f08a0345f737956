package agent

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// secret is in every field that must not get out, witness in some of those that
// must: a search that does not find it would find no secret either.
const secret, witness = "CANARY", "Infusomat"

// traffic is what a ward says, with a secret in each field that may hold a
// person, written from the layouts of the protocols and not by our dissectors.
type traffic struct {
	frames []platform.Frame // as the pump's port sees them
	n      int              // secrets so far
	client uint16           // port of the last connection
	owned  bool             // the fields that may get out hold a person too
	lies   *rand.Rand       // some lengths are wrong; nil: none
}

// next is the content of another forbidden field. The number says which.
func (k *traffic) next() string { k.n++; return fmt.Sprintf("%s%04d", secret, k.n) }

// word is the content of a field that may get out. Where it is owned it has the
// shape of a person's, and may not.
func (k *traffic) word() string {
	if k.owned {
		return k.next() + "@x.de"
	}
	return witness
}

// length is the length n as a message states it. A shorter one than it is would
// leave a part of a name, of which nobody can tell whose it was.
func (k *traffic) length(n int) int {
	if k.lies == nil || k.lies.IntN(8) > 0 {
		return n
	}
	return []int{n + 1, n + 8, n + 30, 0, 0xffff}[k.lies.IntN(5)]
}

// sized is text behind its length in two bytes.
func (k *traffic) sized(s string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(k.length(len(s))))) + s
}

// short is text behind its length in one byte.
func (k *traffic) short(s string) string { return string([]byte{byte(k.length(len(s)))}) + s }

const pumpIP, serverIP = "10.40.122.103", "10.40.122.214"

func serverMAC() [6]byte { return [6]byte{0x00, 0x50, 0x56, 0x0b, 0x97, 0x87} }

// out and in let the pump say something, and hear it.
func (k *traffic) out(etherType uint16, payload []byte) {
	k.frames = append(k.frames, platform.Frame{Dir: platform.Ingress, Data: hosttest.Ethernet(serverMAC(), pumpMAC(), etherType, payload)})
}

func (k *traffic) in(etherType uint16, payload []byte) {
	k.frames = append(k.frames, platform.Frame{Dir: platform.Egress, Data: hosttest.Ethernet(pumpMAC(), serverMAC(), etherType, payload)})
}

// datagrams are sent from and to the port, whole, cut and in two IP fragments.
func (k *traffic) datagrams(port uint16, payload string) {
	udp := hosttest.UDP(port, port, []byte(payload))
	k.out(0x0800, hosttest.IPv4(pumpIP, "10.40.122.255", 17, 0, udp))
	k.in(0x0800, hosttest.IPv4(serverIP, pumpIP, 17, 0, udp))
	half := len(udp) / 2 &^ 7
	k.out(0x0800, hosttest.IPv4(pumpIP, "10.40.122.255", 17, 0x2000, udp[:half]))
	k.out(0x0800, hosttest.IPv4(pumpIP, "10.40.122.255", 17, uint16(half/8), udp[half:]))
	k.out(0x0800, hosttest.IPv4(pumpIP, "10.40.122.255", 17, 0, hosttest.UDP(port, port, []byte(payload[:len(payload)*2/3]))))
	k.out(0x86dd, hosttest.IPv6("fe80::103", "ff02::1", 17, udp))
}

// way is how a message goes over TCP.
type way struct {
	port   uint16 // of who listens
	size   int    // of its pieces
	served bool   // the pump listens
	// middle: the observer comes in the middle of it, without a handshake.
	middle, ends, swapped, fragments bool
}

// stream sends a message over TCP, with an answer.
func (k *traffic) stream(w way, message, answer string) {
	k.client++
	ask, reply := k.out, k.in
	from, to, asks, replies := pumpIP, serverIP, 40000+k.client, w.port
	if w.served {
		ask, reply = k.in, k.out
		from, to = to, from
	}
	send := func(say func(uint16, []byte), src, dst string, sport, dport uint16, seq, ack uint32, flags byte, data string) {
		b := hosttest.TCP(sport, dport, flags)
		binary.BigEndian.PutUint32(b[4:], seq)
		binary.BigEndian.PutUint32(b[8:], ack)
		b = append(b, data...)
		if half := len(b) / 2 &^ 7; w.fragments && len(b) > 40 {
			say(0x0800, hosttest.IPv4(src, dst, 6, 0x2000, b[:half]))
			say(0x0800, hosttest.IPv4(src, dst, 6, uint16(half/8), b[half:]))
			return
		}
		say(0x0800, hosttest.IPv4(src, dst, 6, 0, b))
	}
	seq, ack := uint32(1000), uint32(9000)
	if !w.middle {
		send(ask, from, to, asks, replies, seq-1, 0, hosttest.SYN, "")
		send(reply, to, from, replies, asks, ack-1, seq, hosttest.SYN|hosttest.ACK, "")
	}
	say := func(data string, seq uint32, send func(seq uint32, flags byte, data string)) {
		pieces := slices.Collect(slices.Chunk([]byte(data), w.size))
		for i := range pieces {
			at := i
			if w.swapped && i^1 < len(pieces) {
				at = i ^ 1
			}
			send(seq+uint32(at*w.size), hosttest.ACK, string(pieces[at]))
		}
		if w.ends {
			send(seq+uint32(len(data)), hosttest.FIN|hosttest.ACK, "")
		}
	}
	say(message, seq, func(seq uint32, flags byte, data string) { send(ask, from, to, asks, replies, seq, ack, flags, data) })
	seq += uint32(len(message))
	say(answer, ack, func(ack uint32, flags byte, data string) { send(reply, to, from, replies, asks, ack, seq, flags, data) })
}

// streams sends it in all the ways in which a parser may meet it: at its port
// and at another, the pump asking and asked, whole, split, in fragments and out
// of order, cut short, broken, from the middle on, and as no protocol at all.
func (k *traffic) streams(port uint16, message, answer string) {
	for _, w := range []way{{port: port}, {port: 7777}, {port: port, served: true}} {
		try := func(how way, message, answer string) {
			how.port, how.served = w.port, w.served
			k.stream(how, message, answer)
		}
		try(way{size: 1400}, message, answer)
		try(way{size: 7, swapped: true}, message, answer)
		try(way{size: 100, fragments: true}, message, answer)
		try(way{size: 1400, ends: true}, message[:len(message)*2/3], answer[:len(answer)*2/3])
		try(way{size: 50, middle: true}, message[len(message)/3:], answer[len(answer)/3:])
		try(way{size: 100}, "\x00\xff"+message, "\x00\xff"+answer)
		for _, d := range []string{"\r\n", "|#", "^~", "\x03\x04", "><", "\" "} { // delimiters that are others
			swap := strings.NewReplacer(d[:1], d[1:])
			try(way{size: 1400}, swap.Replace(message), swap.Replace(answer))
		}
	}
	k.datagrams(port, message)
}

// ward says everything once.
func (k *traffic) ward() {
	k.hl7()
	k.dicom()
	k.web()
	k.records()
	k.bedside()
	k.names()
	k.monitor()
	k.devices()
	k.allowed()
	k.windows()
	for _, port := range []uint16{23, 445, 1433, 5060, 24105, 47808} {
		k.streams(port, "user "+k.next()+"\r\npass "+k.next()+"\r\n", k.next())
	}
}

func (k *traffic) hl7() {
	fields := func(name string, last int, allowed map[int]string) string {
		parts := []string{name}
		for i := 1; i <= last; i++ {
			v, ok := allowed[i]
			if !ok {
				v = k.next() + "^" + k.next() + "~" + k.next() + "&" + k.next()
			}
			parts = append(parts, v)
		}
		return strings.Join(parts, "|")
	}
	msh := `MSH|^~\&|` + k.word() + `App|` + k.word() + `Site|Server|Hospital|20261128|` + k.next() + `|ORU^R01^ORU_R01|` + k.next() + `|P|2.6|` + strings.Repeat(k.next()+"|", 8) + "1.2.3"
	message := []string{msh, fields("OBX", 26, map[int]string{3: "69985^MDC_DEV_PUMP_INFUS_MDS^MDC", 4: "1.0.0.0", 18: k.word() + " Space^^001221FFFE645ED0^EUI-64"}),
		fields("PRT", 26, map[int]string{10: k.word() + " Space^^001221FFFE645ED0^EUI-64", 16: "04046955000012^^2.51.1.1^ISO", 17: "20260101", 18: "20360101", 19: "25289", 20: "528989", 22: "69985^MDC_DEV_PUMP_INFUS_MDS^MDC"})}
	for _, name := range strings.Fields("PID PD1 PV1 PV2 NK1 MRG GT1 IN1 AL1 DG1 ORC OBR NTE TXA RXA RXE SPM SAC QRD QPD STF PRA ROL EVN ZMW") {
		message = append(message, fields(name, 30, nil))
		k.streams(2575, "\x0b"+msh+"\r"+fields(name, 30, nil)+"\r\x1c\r", "\x0bMSH|^~\\&|Server|||||"+k.next()+"|ACK|1|P|2.6\rMSA|AA|1|"+k.next()+"\rERR|"+k.next()+"\r\x1c\r")
	}
	message = append(message, "OBX|9|TX|1^x^L||"+k.next(), k.next(), " PRT|"+k.next())
	k.streams(2575, "\x0b"+strings.Join(message, "\r")+"\r\x1c\r", k.next())
	k.streams(80, "POST /hl7 HTTP/1.1\r\nHost: "+k.next()+"\r\nContent-Type: application/hl7-v2\r\n\r\n"+strings.Join(message, "\r"), k.next())
	k.streams(2575, strings.Join(message, "\r"), k.next()) // without its frame
}

func (k *traffic) dicom() {
	item := func(kind byte, value string) string {
		return string([]byte{kind, 0}) + k.sized(value)
	}
	pdu := func(kind byte, value string) string {
		return string(binary.BigEndian.AppendUint32([]byte{kind, 0}, uint32(k.length(len(value))))) + value
	}
	head := "\x00\x01\x00\x00" + fmt.Sprintf("%-16.16s%-16.16s", k.word()+"PACS", k.word()+"AE") + k.next() + strings.Repeat("\x00", 32-len(secret)-4)
	contexts := item(0x10, "1.2.840.10008.3.1.1.1") + item(0x20, "\x01\x00\x00\x00"+item(0x30, "1.2.840.10008.5.1.4.1.1.6.1")+item(0x40, "1.2.840.10008.1.2")) + item(0x20, "\x05\x00\x00\x00"+item(0x30, "1.2.840.10008.3.1.2.3.3")+item(0x40, "1.2.840.10008.1.2")) +
		item(0x11, k.next()) + item(0x20, "\x03\x00\x00\x00"+item(0x30, k.next())+item(0x40, k.next()))
	user := item(0x50, item(0x51, "\x00\x00\x40\x00")+item(0x52, "1.2.276.0.7230010.3.0.3.6.7")+item(0x55, "OFFIS_DCMTK_367")+
		item(0x58, "\x01\x01\x00\x0a"+k.next()+"\x00\x0a"+k.next())+item(0x59, k.next())+item(0x56, k.next()))
	element := func(group, number uint16, value string) string {
		b := binary.LittleEndian.AppendUint16(nil, group)
		b = binary.LittleEndian.AppendUint16(b, number)
		return string(binary.LittleEndian.AppendUint32(b, uint32(len(value)))) + value
	}
	data := ""
	for _, tag := range [][2]uint16{{8, 0x50}, {8, 0x80}, {8, 0x90}, {8, 0x1070}, {0x10, 0x10}, {0x10, 0x20}, {0x10, 0x30}, {0x10, 0x1040}, {0x20, 0x10}, {0x32, 0x1032}} {
		data += element(tag[0], tag[1], k.next()+"^"+k.next())
	}
	pdata := func(head string) string {
		return pdu(4, string(binary.BigEndian.AppendUint32(nil, uint32(len(data)+2)))+head+data)
	}
	values := pdata("\x01\x02")
	step := pdata("\x05\x03") + pdata("\x05\x02") // of a procedure that is performed
	k.streams(104, pdu(1, head+contexts+user)+values+step+values, pdu(2, head+contexts+user)+values)
	k.streams(104, values, values)
}

func (k *traffic) web() {
	hidden := ""
	for _, name := range []string{"Host", "Cookie", "Authorization", "Referer", "X-Patient", "From", "Set-Cookie", "Location", "Via"} {
		hidden += name + ": " + k.next() + "\r\n " + k.next() + "\r\n"
	}
	body := `{"resourceType":"Patient","name":"` + k.next() + `"}`
	k.streams(80, "GET /"+k.next()+"?patient="+k.next()+" HTTP/1.1\r\n"+hidden+"User-Agent: "+k.word()+"/1\r\n\r\n"+body, "HTTP/1.1 200 "+k.next()+"\r\n"+hidden+"Server: "+k.word()+"/2\r\n\r\n"+body)

	// TLS 1.2: a ServerHello with a certificate behind it, names of people in it.
	record := func(value string) string {
		return "\x16\x03\x03" + k.sized(value)
	}
	handshake := func(kind byte, value string) string {
		return string([]byte{kind, 0, byte(len(value) >> 8), byte(len(value))}) + value
	}
	client := "\x03\x03" + strings.Repeat("r", 32) + "\x0a" + k.next() + "\x00\x02\x13\x01\x01\x00" + "\x00\x0e\x00\x23\x00\x0a" + k.next()
	server := "\x03\x03" + strings.Repeat("r", 32) + "\x0a" + k.next() + "\x13\x01\x00"
	certificate := "\x00\x00\x40\x00\x00\x3d" + "\x30\x3b\x06\x03\x55\x04\x03\x0c\x0a" + k.next() + "\x06\x03\x55\x1d\x11\x0c\x0a" + k.next() + strings.Repeat("\x00", 24)
	k.streams(443, record(handshake(1, client)), record(handshake(2, server))+record(handshake(11, certificate)))
}

// names are those of a personal thing, in every protocol that tells one.
func (k *traffic) names() {
	option := func(code byte, value string) string { return string([]byte{code}) + k.short(value) }
	dhcp := make([]byte, 236)
	dhcp[0], dhcp[1], dhcp[2] = 1, 1, 6
	mac := pumpMAC()
	copy(dhcp[28:], mac[:])
	copy(dhcp[44:], k.next())  // sname
	copy(dhcp[108:], k.next()) // file
	discover := string(dhcp) + "\x63\x82\x53\x63" + option(53, "\x01") + option(12, k.next()+"s-iPhone") + option(60, k.word()+"-class") + option(81, "\x00\x00\x00"+k.next()+"s-iphone") +
		option(61, "\x00"+k.next()) + option(15, k.next()) + option(43, k.next()) + option(56, k.next()) + option(77, k.next()) + option(125, "\x00\x00\x00\x01\x0a"+k.next()) + "\xff"
	udp := hosttest.UDP(68, 67, []byte(discover))
	k.frames = append(k.frames, platform.Frame{Dir: platform.Ingress, Data: hosttest.Ethernet(hosttest.Broadcast(), pumpMAC(), 0x0800, hosttest.IPv4("0.0.0.0", "255.255.255.255", 17, 0, udp))})

	label := k.short
	name := func(labels ...string) string {
		out := ""
		for _, l := range labels {
			out += label(l)
		}
		return out + "\x00"
	}
	record := func(owner string, kind uint16, data string) string {
		b := binary.BigEndian.AppendUint16(nil, kind)
		b = append(b, 0, 1, 0, 0, 0, 120)
		return owner + string(b) + k.sized(data)
	}
	whose := name(k.next()+"'s MacBook", "_smb", "_tcp", "local")
	records := record(name("_smb", "_tcp", "local"), 12, whose) + record(whose, 33, "\x00\x00\x00\x00\x01\xbd"+name(k.next()+"s-MacBook", "local")) +
		record(whose, 16, label("note="+k.next())+label("fn="+k.next())+label(k.next())) + record(name(k.next()+"s-iPad", "local"), 1, "\x0a\x28\x7a\x67") + record(name("x"), 13, label(k.next()))
	answer := "\x00\x00\x84\x00\x00\x00\x00\x05\x00\x00\x00\x00" + records
	k.datagrams(5353, answer)
	k.datagrams(53, "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"+name(k.next(), "example", "com")+"\x00\x01\x00\x01")
	k.datagrams(137, "\x00\x01\x29\x10\x00\x01\x00\x00\x00\x00\x00\x01"+label(k.next())+"\x00\x00\x20\x00\x01")

	tlv := func(kind byte, value string) string {
		return string(binary.BigEndian.AppendUint16(nil, uint16(kind)<<9|uint16(k.length(len(value))&0x1ff))) + value
	}
	lldp := tlv(1, "\x07"+k.next()) + tlv(2, "\x07"+k.next()) + tlv(3, "\x00\x78") + tlv(4, k.next()) + tlv(5, "sw1") + tlv(6, k.word()+" switch") + tlv(8, "\x09"+k.next()) +
		tlv(127, "\x00\x12\xbb\x03"+k.next()) + tlv(127, "\x00\x80\xc2\x03"+k.next()) + "\x00\x00"
	k.frames = append(k.frames, platform.Frame{Dir: platform.Ingress, Data: hosttest.Ethernet([6]byte{1, 0x80, 0xc2, 0, 0, 0x0e}, pumpMAC(), 0x88cc, []byte(lldp))})
}

// monitor is an IntelliVue connect indication with a bed label and more.
func (k *traffic) monitor() {
	text := k.sized
	list, n := "", 0
	for _, id := range []string{"\x09\x1e", "\x09\x56", "\x09\x57", "\x09\x5a", "\x09\x5d", "\x09\x61", "\x09\xd8", "\xf0\x01", "\xf1\x29"} {
		list, n = list+id+text(text(k.next())), n+1
	}
	list = string(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(n)), uint16(len(list)))) + list
	event := "\x00\x23\x00\x00\x00\x00\x00\x00\x10\x00\x0d\x17" + text(list)
	k.datagrams(24005, "\x00\x00\x01\x00\x00\x01"+text("\x00\x00\x00\x00"+text(event)))
}
