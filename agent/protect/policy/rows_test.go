package policy

// row is a packet on the ward of lab.policy.toml, with the verdict that a person
// gives who knows the policy and not the rules. The table of the lab,
// RFCs and the ten traps of reference/enforcement.md are where they come from.
type row struct {
	name    string
	in, out string // ports
	frame   frame
	pass    bool
	why     string
}

// Port of each host: pump and ultrasound w1, monitor and printer w2, intruder
// and camera w3, all others behind the uplink.
const (
	up, w1, w2, w3 = "uplink", "w1", "w2", "w3"
	everyone       = "ff:ff:ff:ff:ff:ff"
)

func rows() []row {
	return concat(pumpRows(), monitorRows(), otherRows(), intruderRows(), fragmentRows(), sixRows(), housekeepingRows())
}

func concat(lists ...[]row) (out []row) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func tcp(sm, si, dm, di string, sp, dp uint16, flags byte) frame {
	return ip(sm, si, dm, di, protoTCP, tcpBytes(sp, dp, flags))
}

func udpf(sm, si, dm, di string, sp, dp uint16) frame {
	return ip(sm, si, dm, di, protoUDP, udpBytes(sp, dp))
}

func pumpRows() []row {
	out := func(dst string, proto uint8, b []byte) frame { return ip(pumpMAC, pumpIP, routerMAC, dst, proto, b) }
	in := func(src string, proto uint8, b []byte) frame { return ip(routerMAC, src, pumpMAC, pumpIP, proto, b) }
	return []row{
		{"pump opens tls to its server", w1, up, out(serverIP, 6, tcpBytes(40000, 443, syn)), true, "exempt pair"},
		{"pump sends to a server port no entry names", w1, up, out(serverIP, 6, tcpBytes(40000, 2575, syn)), true, "exempt pair: all IP"},
		{"pump to the standby server", w1, up, out(standbyIP, 6, tcpBytes(40000, 443, syn)), true, "exempt pair"},
		{"server opens a connection to the pump", up, w1, in(serverIP, 6, tcpBytes(50000, 8080, syn)), true, "exempt pair, inbound"},
		{"server pings the pump", up, w1, in(serverIP, 1, icmpBytes(8)), true, "exempt pair: all IP"},
		{"server sends gre to the pump", up, w1, in(serverIP, 47, make([]byte, 40)), true, "exempt pair: all IP"},
		{"pump to its server, tagged", w1, up, out(serverIP, 6, tcpBytes(40000, 443, syn)).vlan(30), true, "a tag changes nothing"},
		{"pump rolled to another port", w3, up, out(serverIP, 6, tcpBytes(40000, 443, syn)), true, "wherever the bed is rolled"},
		{"pump asks dns", w1, up, out(dnsIP, 17, udpBytes(40000, 53)), true, "allow entry"},
		{"dns answers the pump", up, w1, in(dnsIP, 17, udpBytes(53, 40000)), true, "answer by source port"},
		{"dns asks the pump", up, w1, in(dnsIP, 17, udpBytes(40000, 53)), false, "nobody asks a pump for names"},
		{"pump asks dns over tcp", w1, up, out(dnsIP, 6, tcpBytes(40000, 53, syn)), true, "allow entry"},
		{"dns answers over tcp", up, w1, in(dnsIP, 6, tcpBytes(53, 40000, syn|ack)), true, "SYN-ACK is an answer"},
		{"dns data over tcp", up, w1, in(dnsIP, 6, tcpBytes(53, 40000, ack|psh)), true, "answer"},
		{"dns resets", up, w1, in(dnsIP, 6, tcpBytes(53, 40000, rst)), true, "answer"},
		{"dns opens a connection from port 53", up, w1, in(dnsIP, 6, tcpBytes(53, 23, syn)), false, "a bare SYN is no answer"},
		{"dns sends syn and fin from port 53", up, w1, in(dnsIP, 6, tcpBytes(53, 23, syn|fin)), false, "SYN without ACK opens"},
		{"pump pings dns", w1, up, out(dnsIP, 1, icmpBytes(8)), false, "no entry"},
		{"pump to the internet", w1, up, out("93.184.216.34", 6, tcpBytes(40000, 443, syn)), false, "no entry"},
		{"pump to the pacs", w1, up, out(pacsIP, 6, tcpBytes(40000, 104, syn)), false, "no entry of the pump"},
		{"pump to the monitor", w1, w2, tcp(pumpMAC, pumpIP, monitorMAC, monitorIP, 40000, 24105, syn), false, "neither side allows"},
		{"pump to its server out of a ward port", w1, w3, out(serverIP, 17, udpBytes(40000, 9999)), false, "the server is behind the uplink"},
		{"an outsider telnets to the pump", up, w1, in("10.20.66.6", 6, tcpBytes(40000, 23, syn)), false, "no entry"},
		{"pump to dns with ip options", w1, up, out(dnsIP, 17, udpBytes(40000, 53)).withOptions(8), true, "options move the ports, not the rule"},
		{"pump to dns, length lies", w1, up, out(dnsIP, 17, udpBytes(40000, 53)).lying(2000), false, "no sound header, no ports"},
	}
}

func monitorRows() []row {
	return []row{
		{"monitor announces itself to the group", w2, up, udpf(monitorMAC, monitorIP, "01:00:5e:00:17:3f", "224.0.23.63", 24005, 24005), true, "named group intellivue"},
		{"monitor announces itself on the ward", w2, w3, udpf(monitorMAC, monitorIP, "01:00:5e:00:17:3f", "224.0.23.63", 24005, 24005), true, "a group is everywhere"},
		{"monitor announces itself by broadcast", w2, up, udpf(monitorMAC, monitorIP, everyone, "10.20.7.255", 24005, 24005), true, "the older form"},
		{"monitor broadcasts something else", w2, up, udpf(monitorMAC, monitorIP, everyone, "10.20.7.255", 137, 137), false, "not its group"},
		{"monitor asks mdns", w2, up, udpf(monitorMAC, monitorIP, "01:00:5e:00:00:fb", "224.0.0.251", 5353, 5353), false, "a group it does not name"},
		{"group address in a unicast frame to the pump", w2, w1, udpf(monitorMAC, monitorIP, pumpMAC, "224.0.23.63", 24005, 24005), false, "the pump's side refuses"},
		{"monitor data to the central station", w2, up, udpf(monitorMAC, monitorIP, routerMAC, centralIP, 24105, 40000), true, "exempt pair"},
		{"central station asks the monitor", up, w2, udpf(routerMAC, centralIP, monitorMAC, monitorIP, 40000, 24105), true, "exempt pair"},
		{"central station pings the monitor", up, w2, ip(routerMAC, centralIP, monitorMAC, monitorIP, 1, icmpBytes(8)), true, "exempt pair"},
		{"pump server to the monitor", up, w2, udpf(routerMAC, serverIP, monitorMAC, monitorIP, 40000, 24105), false, "a peer of the pump only"},
		{"monitor to the pump server", w2, up, tcp(monitorMAC, monitorIP, routerMAC, serverIP, 40000, 443, syn), false, "a peer of the pump only"},
	}
}

func otherRows() []row {
	return []row{
		{"ultrasound opens an association", w1, up, tcp(ultrasoundMAC, ultrasoundIP, routerMAC, pacsIP, 40000, 104, syn), true, "allow entry"},
		{"pacs answers", up, w1, tcp(routerMAC, pacsIP, ultrasoundMAC, ultrasoundIP, 104, 40000, syn|ack), true, "answer"},
		{"an association runs since before", up, w1, tcp(routerMAC, pacsIP, ultrasoundMAC, ultrasoundIP, 104, 40001, ack), true, "stateless"},
		{"pacs opens to the ultrasound", up, w1, tcp(routerMAC, pacsIP, ultrasoundMAC, ultrasoundIP, 40000, 104, syn), false, "only the other way"},
		{"pacs opens from port 104", up, w1, tcp(routerMAC, pacsIP, ultrasoundMAC, ultrasoundIP, 104, 23, syn), false, "a bare SYN is no answer"},
		{"ultrasound pings the pacs", w1, up, ip(ultrasoundMAC, ultrasoundIP, routerMAC, pacsIP, 1, icmpBytes(8)), true, "icmp/echo"},
		{"pacs answers the ping", up, w1, ip(routerMAC, pacsIP, ultrasoundMAC, ultrasoundIP, 1, icmpBytes(0)), true, "icmp/echo, answer"},
		{"pacs pings the ultrasound", up, w1, ip(routerMAC, pacsIP, ultrasoundMAC, ultrasoundIP, 1, icmpBytes(8)), false, "icmp/echo goes one way"},
		{"ultrasound to pacs port 105", w1, up, tcp(ultrasoundMAC, ultrasoundIP, routerMAC, pacsIP, 40000, 105, syn), false, "no entry"},
		{"ultrasound to pacs udp 104", w1, up, udpf(ultrasoundMAC, ultrasoundIP, routerMAC, pacsIP, 40000, 104), false, "tcp only"},
		{"a pc of the house prints", up, w2, tcp(routerMAC, "10.99.1.1", printerMAC, printerIP, 40000, 631, syn), true, "any-internal"},
		{"the printer answers", w2, up, tcp(printerMAC, printerIP, routerMAC, "10.99.1.1", 631, 40000, syn|ack), true, "answer"},
		{"the printer opens from port 631", w2, up, tcp(printerMAC, printerIP, routerMAC, "10.99.1.1", 631, 445, syn), false, "a bare SYN is no answer"},
		{"the internet prints", up, w2, tcp(routerMAC, "203.0.113.9", printerMAC, printerIP, 40000, 631, syn), false, "not internal"},
		{"smb to the printer", up, w2, tcp(routerMAC, "10.99.1.1", printerMAC, printerIP, 40000, 445, syn), false, "tcp/631 only"},
		{"printer announces itself", w2, w3, udpf(printerMAC, printerIP, "01:00:5e:00:00:fb", "224.0.0.251", 5353, 5353), true, "named group mdns"},
		{"printer announces itself over ipv6", w2, w3, udpf(printerMAC, "fe80::4", "33:33:00:00:00:fb", "ff02::fb", 5353, 5353), true, "named group mdns"},
		{"printer calls home", w2, up, tcp(printerMAC, printerIP, routerMAC, "203.0.113.9", 40000, 443, syn), false, "no entry"},
		{"camera calls home", w3, up, tcp(cameraMAC, cameraIP, routerMAC, "203.0.113.9", 40000, 443, syn), true, "staged: only counted"},
		{"camera to the pump", w3, w1, tcp(cameraMAC, cameraIP, pumpMAC, pumpIP, 40000, 23, syn), false, "the pump's side refuses"},
		{"a pc browses", w3, up, tcp(intruderMAC, intruderIP, routerMAC, "203.0.113.9", 40000, 443, syn), true, "under no segment"},
		{"a pc claims the camera's peer without a right", w3, up, tcp(intruderMAC, "10.20.99.1", routerMAC, "203.0.113.9", 40000, 443, syn), true, "no uplink peer has it"},
	}
}

func intruderRows() []row {
	smb := func(mac, ip string) frame { return tcp(intruderMAC, intruderIP, mac, ip, 40000, 445, syn) }
	asServer := func(mac, ip string, b []byte) frame { return mustIP(intruderMAC, serverIP, mac, ip, b) }
	return []row{
		{"intruder: smb to the pump", w3, w1, smb(pumpMAC, pumpIP), false, "no entry"},
		{"intruder: smb to the monitor", w3, w2, smb(monitorMAC, monitorIP), false, "no entry"},
		{"intruder: smb to the printer", w3, w2, smb(printerMAC, printerIP), false, "no entry"},
		{"intruder: prints", w3, w2, tcp(intruderMAC, intruderIP, printerMAC, printerIP, 40000, 631, syn), true, "any-internal"},
		{"intruder: telnet to the pump, tagged", w3, w1, tcp(intruderMAC, intruderIP, pumpMAC, pumpIP, 40000, 23, syn).vlan(30), false, "a tag changes nothing"},
		{"intruder: telnet to the pump, two tags", w3, w1, tcp(intruderMAC, intruderIP, pumpMAC, pumpIP, 40000, 23, syn).vlan(30, 40), false, "unknown to housekeeping"},
		{"intruder: pings the pump", w3, w1, ip(intruderMAC, intruderIP, pumpMAC, pumpIP, 1, icmpBytes(8)), false, "no entry"},
		{"intruder: forged icmp error to the pump", w3, w1, ip(intruderMAC, intruderIP, pumpMAC, pumpIP, 1, icmpBytes(3)), false, "errors of strangers come from the uplink"},
		{"intruder: forged dhcp answer to the pump", w3, w1, udpf(intruderMAC, intruderIP, pumpMAC, pumpIP, 67, 68), false, "dhcp comes from the uplink"},
		{"intruder: syn-ack to the pump", w3, w1, tcp(intruderMAC, intruderIP, pumpMAC, pumpIP, 443, 40000, syn|ack), false, "no peer"},
		{"intruder: answer of dns, borrowed address", w3, w1, udpf(intruderMAC, dnsIP, pumpMAC, pumpIP, 53, 40000), false, "claimed address"},
		{"intruder: borrows the server's address, to the pump", w3, w1, asServer(pumpMAC, pumpIP, tcpBytes(443, 40000, ack)), false, "claimed address"},
		{"intruder: borrows it, tagged", w3, w1, asServer(pumpMAC, pumpIP, tcpBytes(443, 40000, ack)).vlan(30), false, "claimed address"},
		{"intruder: borrows it, fragment", w3, w1, asServer(pumpMAC, pumpIP, tcpBytes(443, 40000, ack)).later(), false, "claimed address"},
		{"intruder: borrows it, to the uplink", w3, up, asServer(routerMAC, dnsIP, udpBytes(1, 53)), false, "claimed address"},
		{"intruder: arp says it is the server", w3, w1, arp(intruderMAC, pumpMAC, 2, intruderMAC, serverIP, pumpIP), false, "claimed address"},
		{"intruder: gratuitous arp of the server", w3, w1, arp(intruderMAC, everyone, 1, intruderMAC, serverIP, serverIP), false, "claimed address"},
		{"intruder: the same, tagged", w3, w1, arp(intruderMAC, everyone, 1, intruderMAC, serverIP, serverIP).vlan(30), false, "claimed address"},
		{"intruder: asks for the pump by arp", w3, w1, arp(intruderMAC, everyone, 1, intruderMAC, intruderIP, pumpIP), true, "housekeeping"},
		{"intruder: probes the server's address", w3, up, arp(intruderMAC, everyone, 1, intruderMAC, "0.0.0.0", serverIP), true, "a probe claims nothing"},
		{"intruder: the printer's mac to the pump", w3, w1, tcp(printerMAC, printerIP, pumpMAC, pumpIP, 631, 40000, ack), false, "the pump's side refuses"},
		{"intruder: the printer's mac to the monitor", w3, w2, udpf(printerMAC, printerIP, monitorMAC, monitorIP, 5353, 24105), false, "the monitor's side refuses"},
		{"intruder: the printer's mac, smb to the uplink", w3, up, tcp(printerMAC, intruderIP, routerMAC, "10.99.1.1", 40000, 445, syn), false, "only what the printer may"},
		{"intruder: the printer's mac, dhcp to the pump", w3, w1, udpf(printerMAC, printerIP, pumpMAC, pumpIP, 68, 67), false, "the pump's side refuses"},
		{"intruder: the pump's own address to the pump", w3, w1, tcp(intruderMAC, pumpIP, pumpMAC, pumpIP, 443, 40000, ack), false, "no peer"},
		{"intruder: unicast to the pump in a broadcast frame", w3, w1, udpf(intruderMAC, intruderIP, everyone, pumpIP, 40000, 53), false, "unicast in a group frame"},
		{"intruder: the same in a multicast frame", w3, w1, udpf(intruderMAC, intruderIP, "01:00:5e:00:00:fb", pumpIP, 40000, 53), false, "unicast in a group frame"},
		{"intruder: the router's mac on the ward", w3, w1, tcp(routerMAC, "10.20.66.6", pumpMAC, pumpIP, 40000, 23, syn), false, "no peer"},
		{"intruder: pppoe to the pump", w3, w1, ether(intruderMAC, pumpMAC, 0x8864), false, "unknown EtherType"},
		{"intruder: gratuitous arp of the server, two tags", w3, w1, arp(intruderMAC, everyone, 1, intruderMAC, serverIP, serverIP).vlan(0, 0), false, "some hosts look inside, the rules cannot"},
		{"intruder: unicast to the pump in a broadcast frame, two tags", w3, w1, udpf(intruderMAC, intruderIP, everyone, pumpIP, 40000, 53).vlan(0, 0), false, "some hosts look inside, the rules cannot"},
		{"a host speaks with two tags to the uplink", w3, up, udpf(intruderMAC, intruderIP, everyone, "10.20.7.255", 40000, 53).vlan(30, 40), true, "only the ward is closed to what cannot be read"},
		{"the uplink speaks with two tags to the ward", up, w3, udpf(routerMAC, "10.20.7.1", everyone, "10.20.7.255", 40000, 53).vlan(30, 40), true, "only the ward is closed to what cannot be read"},
	}
}

func mustIP(srcMAC, srcIP, dstMAC, dstIP string, b []byte) frame {
	proto := uint8(protoUDP)
	if len(b) == 24 && b[12] == 0x50 {
		proto = protoTCP
	}
	return ip(srcMAC, srcIP, dstMAC, dstIP, proto, b)
}

func fragmentRows() []row {
	return []row{
		{"first fragment to dns", w1, up, udpf(pumpMAC, pumpIP, routerMAC, dnsIP, 40000, 53).first(), true, "it has ports"},
		{"later fragment to dns", w1, up, udpf(pumpMAC, pumpIP, routerMAC, dnsIP, 7, 7).later(), true, "by the pair, not by ports"},
		{"later fragment from dns", up, w1, udpf(routerMAC, dnsIP, pumpMAC, pumpIP, 7, 7).later(), true, "by the pair, not by ports"},
		{"later fragment of a large answer to the server", w1, up, tcp(pumpMAC, pumpIP, routerMAC, serverIP, 7, 7, 0).later(), true, "exempt pair"},
		{"later fragment to a stranger, dressed as dhcp", w1, up, udpf(pumpMAC, pumpIP, routerMAC, "203.0.113.9", 68, 67).later(), false, "the bytes are not ports"},
		{"later fragment of a stranger, dressed as an icmp error", up, w1, ip(routerMAC, "203.0.113.9", pumpMAC, pumpIP, 1, icmpBytes(3)).later(), false, "the bytes are not a type"},
		{"later fragment of a stranger, dressed as dhcp", up, w2, udpf(routerMAC, "203.0.113.9", monitorMAC, monitorIP, 67, 68).later(), false, "the bytes are not ports"},
		{"later fragment to the printer, dressed as ipp", w3, w2, tcp(intruderMAC, "192.0.2.6", printerMAC, printerIP, 40000, 631, ack).later(), false, "not internal"},
		{"later fragment to the printer from a pc", w3, w2, tcp(intruderMAC, intruderIP, printerMAC, printerIP, 40000, 445, ack).later(), true, "by the pair"},
		{"tagged later fragment to a stranger", w1, up, udpf(pumpMAC, pumpIP, routerMAC, "203.0.113.9", 68, 67).later().vlan(30), false, "a tag changes nothing"},
		{"first fragment to a stranger", w1, up, udpf(pumpMAC, pumpIP, routerMAC, "203.0.113.9", 40000, 53).first(), false, "no entry"},
	}
}

func sixRows() []row {
	out := func(dst string, proto uint8, b []byte) frame { return ip(pumpMAC, pumpIP6, routerMAC, dst, proto, b) }
	in := func(src string, proto uint8, b []byte) frame { return ip(routerMAC, src, pumpMAC, pumpIP6, proto, b) }
	return []row{
		{"pump to its server over ipv6", w1, up, out(serverIP6, 6, tcpBytes(40000, 443, syn)), true, "exempt pair"},
		{"server to the pump over ipv6", up, w1, in(serverIP6, 17, udpBytes(1, 2)), true, "exempt pair"},
		{"server to the pump, hop-by-hop header", up, w1, in(serverIP6, 17, udpBytes(1, 2)).withExt(0), true, "exempt pair"},
		{"pump to a stranger over ipv6", w1, up, out("2001:db8::1", 6, tcpBytes(40000, 443, syn)), false, "no entry"},
		{"stranger to the pump behind destination options", up, w1, in("2001:db8::1", 6, tcpBytes(443, 23, syn)).withExt(60), false, "no entry"},
		{"a pc prints over ipv6", up, w2, tcp(routerMAC, "fd00:99::1", printerMAC, "fd00:20:7::14", 40000, 631, syn), true, "any-internal"},
		{"a pc prints behind extension headers", up, w2, tcp(routerMAC, "fd00:99::1", printerMAC, "fd00:20:7::14", 40000, 631, syn).withExt(0, 60), true, "the header chain is followed"},
		{"a pc prints in an atomic fragment", up, w2, tcp(routerMAC, "fd00:99::1", printerMAC, "fd00:20:7::14", 40000, 631, syn).atomic(), true, "RFC 6946: whole"},
		{"smb to the printer over ipv6", up, w2, tcp(routerMAC, "fd00:99::1", printerMAC, "fd00:20:7::14", 40000, 445, syn), false, "tcp/631 only"},
		{"smb to the printer behind extension headers", up, w2, tcp(routerMAC, "fd00:99::1", printerMAC, "fd00:20:7::14", 40000, 445, syn).withExt(0, 60), false, "tcp/631 only"},
		{"later fragment to the printer over ipv6", up, w2, tcp(routerMAC, "fd00:99::1", printerMAC, "fd00:20:7::14", 1, 2, syn).later(), true, "by the pair"},
		{"later fragment of a stranger over ipv6", up, w2, tcp(routerMAC, "2001:db8::1", printerMAC, "fd00:20:7::14", 1, 631, ack).later(), false, "not internal"},
		{"later fragment dressed as neighbour discovery", up, w2, ip(routerMAC, "2001:db8::1", printerMAC, "fd00:20:7::14", 58, icmpBytes(135)).later(), false, "the bytes are not a type"},
		{"intruder: ipv6 to the pump", w3, w1, udpf(intruderMAC, "fd00:20:7::66", pumpMAC, pumpIP6, 53, 40000), false, "no entry"},
		{"intruder: borrows the server's ipv6 address", w3, w1, udpf(intruderMAC, serverIP6, pumpMAC, pumpIP6, 443, 40000), false, "claimed address"},
		{"intruder: advertises the server's address", w3, w1, nd(intruderMAC, "fe80::66", "33:33:00:00:00:01", "ff02::1", 136, serverIP6), false, "claimed address"},
		{"intruder: the same, tagged", w3, w1, nd(intruderMAC, "fe80::66", "33:33:00:00:00:01", "ff02::1", 136, serverIP6).vlan(30), false, "claimed address"},
		{"intruder: the same behind hop-by-hop", w3, w1, nd(intruderMAC, "fe80::66", "33:33:00:00:00:01", "ff02::1", 136, serverIP6).withExt(0), false, "claimed address"},
		{"intruder: advertises its own address", w3, w1, nd(intruderMAC, "fe80::66", "33:33:00:00:00:01", "ff02::1", 136, "fe80::66"), true, "housekeeping"},
		{"intruder: unicast solicitation to the pump", w3, w1, nd(intruderMAC, "fe80::66", pumpMAC, pumpIP6, 135, pumpIP6), false, "no unicast of a stranger"},
		{"intruder: unicast to the pump in a group frame, ipv6", w3, w1, udpf(intruderMAC, "fd00:20:7::66", "33:33:00:00:00:01", pumpIP6, 1, 2), false, "unicast in a group frame"},
		{"a pc finds the printer by unicast solicitation", w3, w2, nd(intruderMAC, "fe80::66", printerMAC, "fe80::4", 135, "fe80::4"), true, "it may print"},
		{"router solicits the pump", up, w1, nd(routerMAC, "fe80::1", pumpMAC, pumpIP6, 135, pumpIP6), true, "housekeeping"},
		{"pump advertises itself to the router", w1, up, nd(pumpMAC, pumpIP6, routerMAC, "fe80::1", 136, pumpIP6), true, "housekeeping"},
		{"pump pretends to be a router", w1, w2, ip(pumpMAC, "fe80::11", "33:33:00:00:00:01", "ff02::1", 58, icmpBytes(134)), false, "no device is a router"},
	}
}

func housekeepingRows() []row {
	return []row{
		{"pump asks dhcp", w1, up, udpf(pumpMAC, "0.0.0.0", everyone, "255.255.255.255", 68, 67), true, "housekeeping"},
		{"dhcp answers by unicast", up, w1, udpf(routerMAC, "10.20.0.2", pumpMAC, pumpIP, 67, 68), true, "housekeeping"},
		{"dhcp answers in a broadcast frame", up, w1, udpf(routerMAC, "10.20.0.2", everyone, pumpIP, 67, 68), true, "some servers do"},
		{"dhcp answers, tagged", up, w1, udpf(routerMAC, "10.20.0.2", pumpMAC, pumpIP, 67, 68).vlan(30), true, "a tag changes nothing"},
		{"pump plays dhcp server", w1, w2, udpf(pumpMAC, pumpIP, everyone, "255.255.255.255", 67, 68), false, "no device is a server"},
		{"pump asks by arp, tagged", w1, up, arp(pumpMAC, everyone, 1, pumpMAC, pumpIP, "10.20.7.1").vlan(30), true, "housekeeping"},
		{"router answers by arp", up, w1, arp(routerMAC, pumpMAC, 2, routerMAC, "10.20.7.1", pumpIP), true, "housekeeping"},
		{"server itself answers by arp", up, w1, arp(routerMAC, pumpMAC, 2, routerMAC, serverIP, pumpIP), true, "it is behind the uplink"},
		{"pump speaks 802.1x", w1, up, ether(pumpMAC, "01:80:c2:00:00:03", etherEAPOL), true, "housekeeping"},
		{"printer speaks lldp", w2, up, ether(printerMAC, "01:80:c2:00:00:0e", etherLLDP), true, "housekeeping"},
		{"printer speaks ptp", w2, up, ether(printerMAC, "01:1b:19:00:00:00", etherPTP), false, "only where it is named"},
		{"printer speaks ipx", w2, up, ether(printerMAC, everyone, 0x8137), false, "unknown EtherType"},
		{"router says unreachable", up, w1, ip(routerMAC, "10.20.7.1", pumpMAC, pumpIP, 1, icmpBytes(3)), true, "housekeeping"},
		{"router says time exceeded, to the printer", up, w2, ip(routerMAC, "198.51.100.1", printerMAC, printerIP, 1, icmpBytes(11)), true, "housekeeping"},
		{"router redirects", up, w1, ip(routerMAC, "10.20.7.1", pumpMAC, pumpIP, 1, icmpBytes(5)), false, "redirects are no error"},
		{"packet too big", up, w1, ip(routerMAC, "fe80::1", pumpMAC, pumpIP6, 58, icmpBytes(2)), true, "housekeeping"},
		{"a pc that printed says unreachable", w3, w2, ip(intruderMAC, intruderIP, printerMAC, printerIP, 1, icmpBytes(3)), true, "an error of a peer"},
		{"printer joins a group", w2, up, ip(printerMAC, printerIP, "01:00:5e:00:00:16", "224.0.0.22", 2, make([]byte, 16)), true, "IGMP"},
		{"printer joins a group over ipv6", w2, up, ip(printerMAC, "fe80::4", "33:33:00:00:00:16", "ff02::16", 58, icmpBytes(143)).withExt(0), true, "MLD"},
		{"printer's igmp in a unicast frame to the pump", w2, w1, ip(printerMAC, printerIP, pumpMAC, pumpIP, 2, make([]byte, 16)), false, "the pump's side refuses"},
		{"querier asks for groups", up, w2, ip(routerMAC, "10.20.7.1", "01:00:5e:00:00:01", "224.0.0.1", 2, make([]byte, 16)), true, "to a group"},
		{"printer's dhcpv6", w2, up, udpf(printerMAC, "fe80::4", "33:33:00:01:00:02", "ff02::1:2", 546, 547), true, "housekeeping"},
	}
}
