package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
	"github.com/wardkeeper/wardkeeper/images"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wardctl": main})
}

// TestScripts runs the tool as a person would. $WARD holds what `wardlab
// record` wrote: one capture for each ward port of a ward without an agent.
// The folder of each script has a site's CA (ca.pem, ca.key), the request of
// gateway gw1 (gw1.csr, $KEY is its fingerprint), and another CA (ca2.*).
func TestScripts(t *testing.T) {
	ward, err := filepath.Abs(filepath.Join("testdata", "ward"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("WARD", ward)
			if err := os.MkdirAll(e.WorkDir, 0o755); err != nil {
				return err
			}
			request, err := newRequest("gw1")
			if err != nil {
				return err
			}
			r, err := enrol.ParseRequest(request)
			if err != nil {
				return err
			}
			e.Setenv("KEY", r.Fingerprint)
			return errors.Join(os.WriteFile(filepath.Join(e.WorkDir, "gw1.csr"), request, 0o600), writeCA(e.WorkDir, "ca"), writeCA(e.WorkDir, "ca2"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// disk FILE makes the disk of a gateway, as it is before anybody has
			// provisioned it
			"disk": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(newDisk(ts.MkAbs(args[0]))) },
		},
	})
}

func newRequest(gateway string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: gateway}}, key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), err
}

func writeCA(dir, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
}

func newDisk(name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	table, err := images.Layout(images.MinDisk())
	if err != nil {
		return err
	}
	p, err := table.Partition(images.PartESP)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(images.MinDisk()), table.WriteTo(f)); err != nil {
		return err
	}
	_, err = fat32.Create(file.New(f, false), p.Bytes(), p.Offset(), images.SectorSize, "ESP", false)
	return err
}
