package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// shapes are the ways in which a word may be written down.
func shapes(word string) (out [][]byte) {
	for _, w := range []string{word, strings.ToUpper(word), strings.ToLower(word)} {
		var wide []byte
		for _, r := range []byte(w) {
			wide = append(wide, r, 0)
		}
		out = append(out, []byte(w), wide, []byte(hex.EncodeToString([]byte(w))), []byte(strings.ToUpper(hex.EncodeToString([]byte(w)))))
		for i := range 3 { // the inner characters do not depend on what surrounds it
			e := base64.StdEncoding.EncodeToString(append(make([]byte, i), w...))
			out = append(out, []byte(e[4*((i+2)/3):len(e)-4]))
		}
	}
	return out
}

// find is where the word stands, with what stands around it; "" if nowhere.
func find(text []byte, word string) string {
	for _, s := range shapes(word) {
		if at := bytes.Index(text, s); at >= 0 {
			return fmt.Sprintf("at %d: %q", at, text[max(0, at-40):min(len(text), at+40)])
		}
	}
	return ""
}

// TestShapes: a search that misses a way of writing proves nothing.
func TestShapes(t *testing.T) {
	for _, written := range []string{"xCANARYx", "canary", "C\x00A\x00N\x00A\x00R\x00Y\x00", "43414e415259", "43414E415259",
		base64.StdEncoding.EncodeToString([]byte("CANARY0001")), base64.StdEncoding.EncodeToString([]byte("aCANARY0001")), base64.StdEncoding.EncodeToString([]byte("abCANARY0001"))} {
		if find([]byte("..."+written+"..."), secret) == "" {
			t.Errorf("%q is not found", written)
		}
	}
	if s := find([]byte("canal, 434143, Q0F"), secret); s != "" {
		t.Error(s)
	}
}

// TestPatientDataStaysInside sends a secret in every field that may hold a
// person through the whole agent and through wardctl, and looks for it in all
// that comes out: the database with its free pages, everything published, the
// logs at every level, the console, the answers to commands. What may get out must be there, or the
// search would not find a secret either.
func TestPatientDataStaysInside(t *testing.T) {
	var k traffic
	k.ward()
	t.Logf("%d secrets in %d frames", k.n, len(k.frames))
	sinks := map[string][]byte{}
	var files string
	inGateway(t, enforced, func(g *gateway) {
		files = g.state()
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC()) // so that it is known and fenced in
		for i, f := range k.frames {
			if i%50 == 0 {
				g.wait(time.Second)
			}
			g.host.Ports.Inject("w1", f.Dir, f.Data)
		}
		g.wait(time.Minute)
		if got := g.agent.ports[0].Status(); got.Frames < uint64(len(k.frames)) || got.Dropped > 0 {
			t.Errorf("capture %+v, want %d frames", got, len(k.frames))
		}
		// Denied packets come another way, with their payload (NFLOG).
		stranger := [6]byte{0, 0x11, 0x22, 0, 0, 0x66}
		for _, payload := range [][]byte{append(hosttest.TCP(1, 23, hosttest.SYN), k.next()...), hosttest.UDP(1, 53, []byte(k.next()))} {
			proto := uint8(6)
			if len(payload) > 0 && payload[3] == 53 {
				proto = 17
			}
			if g.host.Firewall.Decide(fake.Packet{In: "w2", Out: "w1", Frame: hosttest.Ethernet(pumpMAC(), stranger, 0x0800, hosttest.IPv4("10.40.122.66", pumpIP, proto, 0, payload))}).Accepted {
				t.Error("a stranger's packet passes")
			}
		}
		g.wait(time.Minute)
		if len(g.broker.of(t, "deny")) == 0 {
			t.Error("no deny event: nothing came by NFLOG")
		}
		console := g.show("help") + g.show("show status") + g.show("show devices") + g.show("show policy") + g.show("show denies") + g.show("show uplink") + g.show("show log 500") + g.show("show firmware")
		for _, d := range g.agent.devices.Snapshot().Devices {
			console += g.show("show device " + string(d.ID))
		}
		sinks["console"] = []byte(console)
		sinks["answers"] = g.answers()
		g.stop()
		topics, payloads := g.broker.payloads(t)
		sinks["broker"] = append(bytes.Join(payloads, []byte("\n")), strings.Join(topics, "\n")...)
		sinks["log"] = []byte(g.log.String() + " " + witness) // it tells of states, of no device
		if !strings.Contains(g.log.String(), "agent starts") {
			t.Error("no log")
		}
	})
	sinks["database"] = all(t, files)
	for name, out := range replays(t, k.frames) {
		sinks[name] = out
	}
	for name, text := range sinks {
		if find(text, witness) == "" {
			t.Errorf("%s: not even what may get out was found in %d bytes", name, len(text))
		}
		if s := find(text, secret); s != "" {
			t.Errorf("%s: patient data %s", name, s)
		}
	}
}

// all is the content of all files below a folder.
func all(t *testing.T, dir string) (out []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out = append(out, b...)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d bytes in %s: %v", len(out), dir, err)
	}
	return out
}

// replays are all that wardctl says of the frames, in every form.
func replays(t *testing.T, frames []platform.Frame) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	pcap := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	for i, f := range frames {
		for _, v := range []int{1700000000 + i/100, i % 100, len(f.Data), len(f.Data)} {
			pcap = binary.LittleEndian.AppendUint32(pcap, uint32(v))
		}
		pcap = append(pcap, f.Data...)
	}
	file := filepath.Join(dir, "ward.pcap")
	if err := os.WriteFile(file, pcap, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "wardctl"), "./cmd/wardctl")
	build.Dir = ".."
	if msg, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, msg)
	}
	out := make(map[string][]byte)
	for _, form := range []string{"", "--json", "--facts"} {
		args := []string{"replay", file}
		if form != "" {
			args = append(args, form)
		}
		text, err := exec.Command(filepath.Join(dir, "wardctl"), args...).CombinedOutput()
		if err != nil {
			t.Errorf("wardctl %v: %v\n%s", args, err, text)
		}
		out["wardctl replay "+form] = text
	}
	return out
}
