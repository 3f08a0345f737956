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

// TestDICOMPrograms reads what the programs of DCMTK say to one another.
func TestDICOMPrograms(t *testing.T) {
	storescp := program(t, "storescp", "dcmtk")
	const patient = "CANARY^JOHN"
	dir := t.TempDir()
	dump := "(0008,0016) UI [1.2.840.10008.5.1.4.1.1.6.1]\n(0008,0018) UI [1.2.3.4.5]\n(0010,0010) PN [" + patient + "]\n(0010,0020) LO [CANARY1]\n" +
		"(0020,000d) UI [1.2.3.4]\n(0020,000e) UI [1.2.3]\n"
	for i := range 400 { // long enough for several segments
		dump += "(0009,00" + string([]byte{"0123456789abcdef"[i/16%16], "0123456789abcdef"[i%16]}) + ") LO [CANARY" + strings.Repeat("x", 50) + "]\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "image.dump"), []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, program(t, name, "dcmtk"), args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("%s: %v\n%s", name, err, out) // findscu is refused its service
		}
	}
	run("dump2dcm", "image.dump", "image.dcm")

	address := free(t)
	_, port, _ := net.SplitHostPort(address)
	scp := exec.CommandContext(t.Context(), storescp, "-aet", "ARCHIVE", "-od", dir, port)
	if err := scp.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scp.Process.Kill(); _ = scp.Wait() }() // it serves until then
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond) // of another program nothing else tells
	}
	relay := newTap(t, address)
	_, port, _ = net.SplitHostPort(relay.Addr().String())
	run("echoscu", "-aet", "SCANNER", "-aec", "ARCHIVE", "127.0.0.1", port)
	run("storescu", "-R", "-aet", "SCANNER", "-aec", "ARCHIVE", "127.0.0.1", port, "image.dcm")
	run("findscu", "-W", "-aet", "SCANNER", "-aec", "ARCHIVE", "-k", "0010,0010=CANARY*", "127.0.0.1", port)
	relay.Close()
	relay.wg.Wait()

	want := []string{"1 dicom.ae_title SCANNER", "1 dicom.scu_proposes 1.2.840.10008.1.1", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.1.6.1", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.31",
		"1 dicom.stores 1.2.840.10008.5.1.4.1.1.6.1", "9 dicom.ae_title_called_as ARCHIVE", "9 dicom.scp_accepts 1.2.840.10008.1.1", "9 dicom.scp_accepts 1.2.840.10008.5.1.4.1.1.6.1"}
	got := said(relay.frames()...)
	toolkit := 0
	got = slices.DeleteFunc(got, func(s string) bool { // the version is that of the package
		is := strings.Contains(s, "dicom.impl_class_uid 1.2.276.0.7230010.3.0.3.6.") || strings.Contains(s, "dicom.impl_version OFFIS_DCMTK_")
		if is {
			toolkit++
		}
		return is
	})
	if d := cmp.Diff(want, got); d != "" || toolkit != 4 {
		t.Errorf("%d facts of the toolkit, want 4 (-want +got)\n%s", toolkit, d)
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
