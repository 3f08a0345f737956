package dissect

import "testing"

// benchmark measures what it costs to read b, by the byte.
func benchmark[T any](b *testing.B, name string, decode func(*T, []byte) Progress, message string) {
	b.Run(name, func(b *testing.B) {
		data, m := []byte(message), new(T)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if decode(m, data) != Done {
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
