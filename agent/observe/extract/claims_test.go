package extract_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// TestRandomTrafficIsNoProtocol: no medical protocol is found in bytes that
// happen to begin as one. RANDOM_MB says how many megabytes are tried.
func TestRandomTrafficIsNoProtocol(t *testing.T) {
	megabytes := 4
	if s := os.Getenv("RANDOM_MB"); s != "" {
		var err error
		if megabytes, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	leads := []string{"", "\x0b", "\r", "\x01\x00", "\x02\x00", "\x04\x00\x00\x00\x01", "\xe2\x00", "\xe3\x00", "\xe7\x00", "\x7e", "<", "<?xml ", "\x00\x00\x01\x00", "\xe1\x00\x00\x02\x00\x01",
		"\x0d", "\x0e", "\x01\x04\x00\x00", "DIGI", "\x81\x00", "\x00\x00\x00\xf7", "\x1b", "\x1bR", "\x01R", "\x01", "\x0100012\x02", "\x05", "\x021H|", "\x02", "!", "[", "MISCA,", "HTTP/1.1 200 OK\r\n\r\n<"}
	ports := []uint16{0, 104, 2362, 2575, 3702, 4001, 4600, 4800, 5000, 6024, 7000, 7001, 9001, 24005, 24105, 30718}
	claims := make(map[string]int)
	x := extract.New(extract.Options{Sink: func(b fact.Batch) bool {
		for _, f := range b.Facts {
			if medical(string(f.Kind)) {
				claims[string(f.Kind)+" "+f.Value.String()]++
			}
		}
		return true
	}})
	r := rand.New(rand.NewPCG(1, 2)) // the same bytes each time
	data := make([]byte, 0, 1500)
	for n, i := 0, 0; n < megabytes<<20; i++ {
		data = append(data[:0], leads[r.IntN(len(leads))]...)
		alphabet := 256
		if r.IntN(3) == 0 {
			alphabet = 4 // many zeroes: what binary protocols are made of
		}
		for range r.IntN(600) {
			data = append(data, byte(r.IntN(alphabet)))
		}
		from, to := at(byte(i), "192.0.2.7", 40000), at(9, "192.0.2.9", ports[r.IntN(len(ports))])
		if to.port == 0 {
			to.port = uint16(r.IntN(65536))
		}
		if r.IntN(2) == 0 {
			from.port, to.port = to.port, from.port
		}
		f := udp(from, to, data)
		if r.IntN(2) == 0 {
			f = tcp(from, to, ack, r.Uint32(), data)
		}
		n += len(f)
		x.Frame(frame(platform.DirUnknown, float64(i)/1000, f))
	}
	x.Close()
	for claim, n := range claims {
		t.Errorf("%q claimed %d times", claim, n)
	}
}

// medical reports a kind of the medical protocols and of what stands beside
// them, discovery and serial device servers.
func medical(kind string) bool {
	switch protocol, _, _ := strings.Cut(kind, "."); protocol {
	case "service", "dhcp", "dns", "mdns", "tls", "http", "lldp", "ndp", "oui":
		return false
	}
	return true
}

// TestCorpusClaims: medical protocols are found in the captures that are filed
// as medical, and in no other.
func TestCorpusClaims(t *testing.T) {
	for _, path := range corpus(t) {
		file := filepath.Base(path)
		if strings.HasPrefix(filepath.Base(filepath.Dir(path)), "medical-") {
			continue
		}
		all, _ := replay(t, path) // TestCorpus looks at the errors
		for _, r := range all {
			if medical(r.Kind) {
				t.Errorf("%s: %s %q of %s", file, r.Kind, r.Value, r.MAC)
			}
		}
	}
}
