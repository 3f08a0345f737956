package lab

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// refusedEnv carries the reason why this machine has no lab to the tests.
const refusedEnv = "WARDLAB_REFUSED"

func TestMain(m *testing.M) {
	code, err := ward.Enter(m.Run)
	if err != nil {
		os.Setenv(refusedEnv, err.Error())
		code = m.Run()
	}
	os.Exit(code)
}

// Without an agent the ward works, the intruder reaches everything, and the run
// fails for these reasons: whatever denies in other runs is the agent.
func TestWithoutAgent(t *testing.T) {
	if why := os.Getenv(refusedEnv); why != "" {
		t.Skip(why)
	}
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	recordings := t.TempDir()
	var live bytes.Buffer
	s, err := Run(t.Context(), Options{For: leastRun, Seed: 3, Mode: "enforce", NoAgent: true, Record: recordings, Out: io.Discard, Live: &live})
	if err != nil {
		t.Fatal(err)
	}
	if s.Passed {
		t.Error("a run without an agent passes")
	}
	for _, want := range []string{
		"no agent ran: nobody observed, enforced or reported",
		"intruder reached pump: answered icmp tcp/23,445",
		"intruder reached monitor: answered icmp tcp/23,445 udp/24105",
		"intruder reached ultrasound: answered icmp tcp/23,445",
		"intruder reached printer: answered icmp tcp/23,445",
		"pump reached dns: answered tcp/80",
		"intruder as printer's mac reached pump: answered tcp/23,445",
	} {
		if !slices.Contains(s.Reasons, want) {
			t.Errorf("reasons lack %q", want)
		}
	}
	for _, p := range []cast.Part{cast.Pump, cast.Monitor, cast.Ultrasound, cast.PumpServer} {
		if s.Claims[p.String()] == 0 {
			t.Errorf("no forged claim reached %v", p)
		}
	}
	for _, p := range []string{"pump", "monitor"} {
		if a := s.Arrivals[p]; a["tcp/23"] == 0 || a["icmp"] == 0 {
			t.Errorf("arrivals at %s: %v", p, a)
		}
	}
	if s.Arrivals["pump"]["udp fragment"] == 0 {
		t.Error("no fragment of the intruder reached the pump")
	}
	for _, r := range s.Reasons {
		if strings.Contains(r, "never answered") || strings.Contains(r, "at fault") || strings.Contains(r, "not to be trusted") || strings.Contains(r, "sent nothing") {
			t.Errorf("the lab itself: %s", r)
		}
	}
	for _, x := range verdict.Required() {
		if want := x.From.String() + " -> " + x.To.String() + " " + x.Service + " passes"; !strings.Contains(live.String(), want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if t.Failed() {
		t.Log(live.String(), strings.Join(s.Reasons, "\n"))
	}
	t.Run("tshark", func(t *testing.T) { decode(t, recordings) })
}

// decode has tshark, which shares nothing with us, say what crossed the ports.
func decode(t *testing.T, dir string) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs the apt package tshark")
	}
	var size int64
	for _, tt := range []struct {
		port string
		want []string
	}{
		{"w1", []string{"dhcp", "hl7", "tls.handshake.type == 1", "ip.flags.mf == 1 && ip.proto == 6", "arp"}},
		{"w2", []string{"dhcp", "udp.port == 24005 && ip.dst == 224.0.23.63", "udp.port == 24005 && eth.dst == ff:ff:ff:ff:ff:ff", "udp.port == 24105", "igmp"}},
		{"w3", []string{"dicom.pdu.type == 1", "dicom.pdu.type == 2", "dicom.pdu.type == 4", "dicom.pdu.type == 5", `dicom.pdv.ctx == 7 && frame contains "COMPLETED" && !_ws.malformed`}},
		{"w4", []string{"mdns && dns.ptr.domain_name", "ipp", "http.server"}},
		{"w5", []string{"dhcp.option.vendor_class_id == \"MSFT 5.0\"", "http.user_agent", "dns.qry.name", "ipp"}},
	} {
		file := filepath.Join(dir, tt.port+".pcap")
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += st.Size()
		for _, filter := range tt.want {
			if n := frames(t, tshark, file, filter); n == 0 {
				t.Errorf("%s: no frame is %s", tt.port, filter)
			}
		}
		checks := []string{"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"}
		// The intruder's probes of udp/161 are malformed on purpose.
		bad := "(_ws.malformed && !(udp.port in {161, 162})) || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
		if n := frames(t, tshark, file, bad, checks...); n != 0 {
			t.Errorf("%s: %d frames are malformed or have a wrong checksum", tt.port, n)
		}
	}
	if size > 300_000 {
		t.Errorf("recordings of %d octets, want less than 300,000", size)
	}
}

// frames counts the frames of a file which a display filter takes.
func frames(t *testing.T, tshark, file, filter string, more ...string) int {
	t.Helper()
	cmd := exec.Command(tshark, append([]string{"-n", "-r", file, "-Y", filter, "-T", "fields", "-e", "frame.number"}, more...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %s: %v\n%s", filter, err, stderr.String())
	}
	return bytes.Count(out, []byte("\n"))
}
