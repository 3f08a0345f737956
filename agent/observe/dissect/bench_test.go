package dissect

import "testing"

// benchmark measures what it costs to read b, by the byte.
func benchmark[T any](b *testing.B, name string, decode func(*T, []byte) Progress, message string) {
	benchmarkMessage(b, name, done(decode), message)
}

// benchmarkMessage does so for what comes whole.
func benchmarkMessage[T any](b *testing.B, name string, decode func(*T, []byte) bool, message string) {
	b.Run(name, func(b *testing.B) {
		data, m := []byte(message), new(T)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if !decode(m, data) {
				b.Fatal("not recognised")
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(data)), "ns/byte")
	})
}

func BenchmarkStreams(b *testing.B) {
	benchmark(b, "HL7", (*HL7).DecodeStream, pumpMessage())
	benchmark(b, "DICOM", (*DICOM).DecodeStream, string(unhex(b, dicomVector)))
	benchmark(b, "HTTP", (*HTTP).DecodeStream, "GET /fhir/Patient/1 HTTP/1.1\r\nHost: x\r\nUser-Agent: probe/1.0\r\nAccept: application/fhir+json\r\n\r\n")
	benchmark(b, "FHIR", (*FHIR).DecodeStream, statementJSON)
	benchmark(b, "BCC", (*BCC).DecodeStream, bccAnswer())
	benchmark(b, "MEDIBUS", (*Medibus).DecodeStream, string(unhex(b, medibusVector)))
	benchmark(b, "ASTM", (*ASTM).DecodeStream, string(unhex(b, astmVector)))
	benchmark(b, "POCT1-A", (*POCT1A).DecodeStream, poctHello)
	benchmark(b, "Asena", (*SerialASCII).DecodeStream, asena("INST_SERIALNO^8002-1"))
	benchmark(b, "DRI", (*DRI).DecodeStream, string(dri(5, 8, "\x06patient", "\x00\x00\x40\x97\x7e\x00\x7d\x0a\x00\x08\x00")))
	benchmark(b, "PHD", (*PHD).DecodeStream, string(phdAttributes(0, "\x0a\x44\x01\x90", "\x0a\x5a\x00\x01\x00\x04\x10\x04\x00\x01")))
	benchmark(b, "TLS client", (*ClientHello).DecodeStream, string(records(modern().message(), 16000)))
	benchmark(b, "TLS server", (*ServerHello).DecodeStream, string(records(hello{server: true, version: 0x0303, ciphers: []uint16{4}, exts: [][]byte{extProtocols("h2")}}.message(), 16000)))
}

func BenchmarkMessages(b *testing.B) {
	benchmarkMessage(b, "WS-Discovery", (*WSDiscovery).Decode, string(sdcHello()))
	benchmarkMessage(b, "SDC", (*SDC).DecodeXML, sdcMDIB)
	benchmarkMessage(b, "IntelliVue", (*IntelliVue).Decode, string(unhex(b, intelliVueVector)))
	benchmarkMessage(b, "Unity", (*Unity).Decode, string(rwhat("ICU", 3, 2000)))
	benchmarkMessage(b, "Mindray", (*Mindray).Decode, mindrayIndication)
	benchmarkMessage(b, "ADDP", (*ADDP).Decode, string(addp(2, "\x01\x00\x40\x9d\x00\x00\x01", "\x08v", "\x0dp", "\x12\x04")))
	benchmarkMessage(b, "Moxa", (*Moxa).Decode, string(moxaAnswer("\x00\x90\xe8\x00\x00\x01")))
	benchmarkMessage(b, "Lantronix", (*Lantronix).Decode, "\x00\x00\x00\xf7")
	benchmarkMessage(b, "IntelliVue poll", (*IntelliVue).Decode, string(pollResult(2, ivPoll, ivMDS, "\x09\x1ebed|\x09\x46\x40\x00")))
	benchmarkMessage(b, "AeroScout", (*AeroScout).Decode, string(aeroScout(0xd9, "abcdefgh")))
	benchmarkMessage(b, "DHCPv4", (*DHCPv4).Decode, string(dhcpMessage(1, opt(53, "\x01"), opt(12, "pump"), opt(55, "\x01\x03\x06"))))
	benchmarkMessage(b, "LLDP", (*LLDP).Decode, string(unhex(b, lldpMEDVector)[14:]))
	var r DNSRecord
	benchmarkMessage(b, "DNS", func(m *DNS, data []byte) bool {
		m.Decode(data)
		return m.Next(data, &r)
	}, string(dnsMessage(0x8400, [4]uint16{0, 1, 0, 0}, rr(wire("_ipp._tcp.local"), DNSTypePTR, 1, "\x01x\xc0\x0c"))))
}

// BenchmarkRecognise measures what a segment of no protocol costs.
func BenchmarkRecognise(b *testing.B) {
	data := make([]byte, 1400)
	for i := range data {
		data[i] = byte(i*7 + 99)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if p, _ := RecogniseStream(data, 0); p != 0 || Resync(data) != 0 {
			b.Fatal(p)
		}
	}
}
