package extract_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// program skips the test where a program of an apt package is missing.
func program(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s: apt-get install %s", name, pkg)
	}
	return path
}

// piece is what one side of a connection wrote.
type piece struct {
	conn   int
	client bool
	data   []byte
}

// tap stands between a client and a server and keeps what they say, in order.
type tap struct {
	net.Listener
	mu     sync.Mutex
	pieces []piece
	wg     sync.WaitGroup
}

// newTap listens for clients of the server at an address.
func newTap(t *testing.T, server string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{Listener: l}
	t.Cleanup(func() { l.Close(); p.wg.Wait() })
	p.wg.Go(func() {
		for n := 0; ; n++ {
			client, err := l.Accept()
			if err != nil {
				return
			}
			peer, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			p.wg.Go(func() { p.copy(client, peer, n, false) })
			p.wg.Go(func() { p.copy(peer, client, n, true) })
		}
	})
	return p
}

// copy moves bytes until the end, and passes that on.
func (p *tap) copy(to, from net.Conn, conn int, client bool) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.mu.Lock()
			p.pieces = append(p.pieces, piece{conn, client, slices.Clone(buf[:n])})
			p.mu.Unlock()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// frames are the connections as a gateway would have seen them.
func (p *tap) frames() (frames [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	type ends struct{ seq, ack uint32 }
	open := make(map[int]*ends)
	for _, c := range p.pieces {
		client := end{pump.mac, pump.ip, 40000 + uint16(c.conn)}
		if open[c.conn] == nil {
			open[c.conn] = &ends{1000, 5000}
			frames = append(frames, tcp(client, server, syn, 999, nil), tcp(server, client, syn|ack, 4999, nil))
		}
		at, from, to := &open[c.conn].seq, client, server
		if !c.client {
			at, from, to = &open[c.conn].ack, server, client
		}
		for data := range slices.Chunk(c.data, 1400) {
			frames = append(frames, tcp(from, to, ack, *at, data))
			*at += uint32(len(data))
		}
	}
	return frames
}

// free is an address that nothing listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// toolkit runs the programs of DCMTK in a directory with an image, whose patient
// is CANARY.
type toolkit struct{ dir string }

func newToolkit(t *testing.T) toolkit {
	t.Helper()
	k := toolkit{t.TempDir()}
	dump := "(0008,0016) UI [1.2.840.10008.5.1.4.1.1.6.1]\n(0008,0018) UI [1.2.3.4.5]\n(0008,0052) CS [STUDY]\n(0010,0010) PN [CANARY^JOHN]\n(0010,0020) LO [CANARY1]\n" +
		"(0020,000d) UI [1.2.3.4]\n(0020,000e) UI [1.2.3]\n"
	for i := range 400 { // long enough for several segments
		dump += "(0009,00" + string([]byte{"0123456789abcdef"[i/16%16], "0123456789abcdef"[i%16]}) + ") LO [CANARY" + strings.Repeat("x", 50) + "]\n"
	}
	if err := os.WriteFile(filepath.Join(k.dir, "image.dump"), []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	k.run(t, "dump2dcm", "image.dump", "image.dcm")
	return k
}

// run runs a program to its end. That it is refused a service is its failure.
func (k toolkit) run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name, "dcmtk"), args...)
	cmd.Dir = k.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("%s: %v\n%s", name, err, out)
	}
}

// serve runs a server until the end of the test and returns a tap before it, and
// the tap's port.
func (k toolkit) serve(t *testing.T, address, name string, args ...string) (relay *tap, port string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, name, "dcmtk"), args...)
	cmd.Dir = k.dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it serves until then
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond) // of another program nothing else tells
	}
	relay = newTap(t, address)
	_, port, _ = net.SplitHostPort(relay.Addr().String())
	return relay, port
}

// heard are the facts of what went through a tap, but for those of the toolkit
// itself, which are counted: the version is that of the package.
func (k toolkit) heard(relay *tap) (facts []string, own int) {
	relay.Close()
	relay.wg.Wait()
	facts = slices.DeleteFunc(said(relay.frames()...), func(s string) bool {
		is := strings.Contains(s, "dicom.impl_class_uid 1.2.276.0.7230010.3.0.3.6.") || strings.Contains(s, "dicom.impl_version OFFIS_DCMTK_")
		if is {
			own++
		}
		return is
	})
	return facts, own
}

// TestDICOMPrograms reads what the programs of DCMTK say to one another: a
// modality that stores, and asks what an archive of images alone refuses.
func TestDICOMPrograms(t *testing.T) {
	program(t, "storescp", "dcmtk")
	k, address := newToolkit(t), free(t)
	_, port, _ := net.SplitHostPort(address)
	relay, port := k.serve(t, address, "storescp", "-aet", "ARCHIVE", "-od", k.dir, port)
	k.run(t, "echoscu", "-aet", "SCANNER", "-aec", "ARCHIVE", "127.0.0.1", port)
	k.run(t, "storescu", "-R", "-aet", "SCANNER", "-aec", "ARCHIVE", "127.0.0.1", port, "image.dcm")
	k.run(t, "findscu", "-W", "-aet", "SCANNER", "-aec", "ARCHIVE", "-k", "0010,0010=CANARY*", "127.0.0.1", port)

	want := []string{"1 dicom.ae_title SCANNER", "1 dicom.scu_proposes 1.2.840.10008.1.1", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.1.6.1", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.31",
		"1 dicom.stores 1.2.840.10008.5.1.4.1.1.6.1", "9 dicom.ae_title_called_as ARCHIVE", "9 dicom.scp_accepts 1.2.840.10008.1.1", "9 dicom.scp_accepts 1.2.840.10008.5.1.4.1.1.6.1"}
	got, own := k.heard(relay)
	if d := cmp.Diff(want, got); d != "" || own != 4 {
		t.Errorf("%d facts of the toolkit, want 4 (-want +got)\n%s", own, d)
	}
}

// TestDICOMArchive reads what is said to an archive that answers questions and
// sends images where it was asked: the one who asks takes the role of a server.
func TestDICOMArchive(t *testing.T) {
	program(t, "dcmqrscp", "dcmtk")
	k, address := newToolkit(t), free(t)
	_, port, _ := net.SplitHostPort(address)
	config := "NetworkTCPPort = " + port + "\nMaxPDUSize = 16384\nMaxAssociations = 4\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n" +
		"AETable BEGIN\nPACS " + k.dir + "/archive RW (10, 64mb) ANY\nAETable END\n"
	if err := os.WriteFile(filepath.Join(k.dir, "archive.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(k.dir, "archive"), 0o700); err != nil {
		t.Fatal(err)
	}
	relay, port := k.serve(t, address, "dcmqrscp", "-c", "archive.cfg")
	k.run(t, "storescu", "-R", "-aet", "SCANNER", "-aec", "PACS", "127.0.0.1", port, "image.dcm")
	k.run(t, "findscu", "-S", "-aet", "STATION", "-aec", "PACS", "-k", "0008,0052=STUDY", "-k", "0010,0010=CANARY*", "127.0.0.1", port)
	k.run(t, "getscu", "-S", "-aet", "STATION", "-aec", "PACS", "-k", "0008,0052=STUDY", "-k", "0020,000d=1.2.3.4", "127.0.0.1", port)

	// The station names more classes to receive than is looked at: which role is
	// whose stands behind them, so of those neither side is said anything.
	want := []string{"1 dicom.ae_title SCANNER", "1 dicom.ae_title STATION", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.1.6.1", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.2.2.1",
		"1 dicom.stores 1.2.840.10008.5.1.4.1.1.6.1", "9 dicom.ae_title_called_as PACS", "9 dicom.scp_accepts 1.2.840.10008.5.1.4.1.1.6.1", "9 dicom.scp_accepts 1.2.840.10008.5.1.4.1.2.2.1",
		"9 dicom.stores 1.2.840.10008.5.1.4.1.1.6.1"}
	got, own := k.heard(relay)
	if d := cmp.Diff(want, got); d != "" || own != 4 {
		t.Errorf("%d facts of the toolkit, want 4 (-want +got)\n%s", own, d)
	}
}

// TestHL7Program reads what the sender of python3-hl7 says, and an answer.
func TestHL7Program(t *testing.T) {
	sender := program(t, "mllp_send", "python3-hl7")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // an engine that accepts all
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for r := bufio.NewReader(c); ; {
				if _, err := r.ReadString(0x1c); err != nil {
					break
				}
				_, _ = io.WriteString(c, "\x0bMSH|^~\\&|ENGINE|HOSP|||20260101||ACK^R01|1|P|2.6\rMSA|AA|CANARY\r\x1c\r")
			}
			c.Close()
		}
	}()
	relay := newTap(t, l.Addr().String())
	_, port, _ := net.SplitHostPort(relay.Addr().String())
	file := filepath.Join(t.TempDir(), "messages.hl7")
	messages := strings.NewReplacer("\x0b", "", "\x1c\r", "").Replace(oru)
	messages += strings.Replace(messages, "ORU^R01^ORU_R01", "ORU^R40^ORU_R40", 1)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(messages, "\r", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, sender, "--loose", "--file", file, "--port", port, "127.0.0.1").CombinedOutput(); err != nil {
		t.Fatalf("mllp_send: %v\n%s", err, out)
	}
	relay.Close()
	relay.wg.Wait()
	want := append(slices.Clone(oruFacts), "1 hl7.msh9_type ORU_R40_ORU_R40", "9 hl7.receives ORU_R40_ORU_R40",
		"9 hl7.msh12_version 2.6", "9 hl7.msh3_sending_app ENGINE", "9 hl7.msh4_sending_facility HOSP", "9 hl7.msh9_type ACK_R01")
	slices.Sort(want)
	if d := cmp.Diff(want, said(relay.frames()...)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
