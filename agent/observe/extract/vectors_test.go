package extract_test

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// TestVectors reads each synthetic message of protocols.md as it comes over the
// wire: all that it may say is said. A message without a row fails.
func TestVectors(t *testing.T) {
	dir := os.Getenv("VECTORS")
	if dir == "" {
		t.Skip("VECTORS is not set: no vectors to read")
	}
	type row struct {
		over string // eth, tcp, udp
		port uint16 // of the server
		want []string
	}
	rows := map[string]row{
		"astm_header_frame": {"tcp", 9002, []string{"1 astm.sender ACME", "1 astm.serial SN1", "1 astm.standard LIS2-A2", "1 astm.version 1.0"}},
		"dicom_a_associate_rq": {"tcp", 104, []string{"1 dicom.ae_title CT_TEST", "1 dicom.impl_class_uid 1.2.276.0.7230010.3.0.3.6.7", "1 dicom.impl_version OFFIS_DCMTK_367",
			"1 dicom.scu_proposes 1.2.840.10008.5.1.4.1.1.2", "1 dicom.scu_proposes 1.2.840.10008.5.1.4.31", "9 dicom.ae_title_called_as PACS_TEST"}},
		"dri_frame": {"tcp", 9001, []string{"1 dri.level 8", "1 dri.record network"}},
		"ge_rwhat":  {"udp", 7000, []string{"1 unity.rwhat yes", "1 unity.services 3/2000,17/32,9/2000,19/3000,28/3001,13/2000,12/2000"}},
		"hl7_ack": {"tcp", 2575, []string{"1 hl7.msh12_version 2.6", "1 hl7.msh3_sending_app RECV", "1 hl7.msh4_sending_facility FAC", "1 hl7.msh9_type ACK_R01_ACK",
			"9 hl7.receives ACK_R01_ACK"}},
		"lldp_med": {"eth", 0, []string{"1 lldp.capabilities telephone", "1 lldp.chassis_mac 02:00:00:00:00:01", "1 lldp.med_fw FW2", "1 lldp.med_fw SW3", "1 lldp.med_maker ACME", "1 lldp.med_model M-100",
			"1 lldp.med_serial SN0000", "1 lldp.sysdescr Test OS 1.0", "1 lldp.sysname testhost"}},
		"medibus_devid_req":  {"tcp", 9003, nil}, // both sides ask for it
		"medibus_devid_resp": {"tcp", 9003, []string{"1 medibus.id 8020", "1 medibus.model TestVent", "1 medibus.version 01.00"}},
		"medibus_icc":        {"tcp", 9003, nil},
		"medibus_nop":        {"tcp", 9003, nil},
		"philips_connect_indication": {"udp", 24005, []string{"1 intellivue.maker Philips", "1 intellivue.model 866062", "1 intellivue.sends indication", "1 intellivue.serial DE00000000", "1 intellivue.software L.01.18",
			"1 intellivue.sys_type 114d", "1 intellivue.system_id 0009fbffff000001"}},
	}
	// Their readers come with a later issue: nothing may be said of them.
	for _, later := range []string{"bacnet_iam", "cdp", "enip_list_identity", "modbus_2b0e_resp", "mqtt_connect"} {
		rows[later] = row{map[bool]string{true: "eth", false: "tcp"}[later == "cdp"], 1883, nil}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.hex"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: %v", dir, err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".hex")
		r, ok := rows[name]
		if delete(rows, name); !ok {
			t.Errorf("%s: no row says what it says", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b, err := hex.DecodeString(string(bytes.TrimSpace(text)))
			if err != nil {
				t.Fatal(err)
			}
			to := end{server.mac, server.ip, r.port}
			frames := map[string][][]byte{"eth": {b}, "udp": {udp(pump, to, b)}, "tcp": {tcp(pump, to, syn, 999, nil), tcp(to, pump, syn|ack, 4999, nil), tcp(pump, to, ack, 1000, b)}}[r.over]
			if d := cmp.Diff(r.want, lines(run(platform.DirUnknown, frames...).Facts)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
	for name := range rows {
		t.Errorf("%s: no such vector", name)
	}
}

// TestReferenceData reads the public samples of the corpus that hold a message
// for the wire, and knows of each other one which test of dissect reads it.
func TestReferenceData(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("CORPUS is not set: no samples to read")
	}
	const start, ends = "\x0b", "\r\x1c\r"
	hl7 := func(b []byte) [][]byte {
		return [][]byte{tcp(pump, server, syn, 999, nil), tcp(server, pump, syn|ack, 4999, nil), tcp(pump, server, ack, 1000, be(start, b, ends))}
	}
	pump := end{pump.mac, pump.ip, 24105}
	type row struct {
		frames func(b []byte) [][]byte
		want   []string
	}
	admission := []string{"1 hl7.msh12_version 2.6", "1 hl7.msh3_sending_app SE050", "1 hl7.msh4_sending_facility 050", "1 hl7.msh9_type ADT_A01", "9 hl7.receives ADT_A01"}
	rows := map[string]row{
		"intellivue/draft.txt": {func(b []byte) [][]byte { return [][]byte{udp(server, pump, []byte("?")), udp(pump, server, dumped(b))} }, []string{"1 intellivue.sends values", "9 intellivue.client yes"}},
		"hl7/nist-ihe-pcd/PCD01_message.hl7": {hl7, []string{"1 hl7.msh12_version 2.6", "1 hl7.msh21_profile IHE_PCD_001_IHE PCD_1.3.6.1.4.1.19376.1.6.1.1.1_ISO", "1 hl7.msh3_sending_app MINDRAY_A7_00A037002A01E240_EUI-64",
			"1 hl7.msh4_sending_facility MINDRAY", "1 hl7.msh9_type ORU_R01_ORU_R01", "1 hl7.obx18_equipment 080019FFFE2B0688_B1X5_GE", "1 hl7.obx3_device 69854", "1 hl7.obx3_device 69855",
			"1 hl7.obx3_device 69965", "1 hl7.pcd pcd-01", "9 hl7.receives ORU_R01_ORU_R01"}},
		"hl7/nist-ihe-pcd/PCD03_message.hl7": {hl7, []string{"1 hl7.alarm yes", "1 hl7.msh12_version 2.6", "1 hl7.msh21_profile IHE_PCD_ACM_001_IHE PCD_1.3.6.1.4.1.19376.1.6.1.4.1_ISO", "1 hl7.msh3_sending_app 3",
			"1 hl7.msh4_sending_facility 4", "1 hl7.msh9_type ORU_R40_ORU_R40", "1 hl7.obx3_device 69798", "1 hl7.obx3_device 69965", "1 hl7.pcd pcd-04", "9 hl7.receives ORU_R40_ORU_R40"}},
		"hl7/linuxforhealth/sample_unix.hl7": {hl7, admission}, "hl7/linuxforhealth/sample_win.hl7": {hl7, admission},
	}
	for _, name := range []string{"encoded_dimse_msg.json", "encoded_dimse_n_msg.json", "encoded_pdu_items.json"} { // TestDICOMSamples
		rows["dicom-pdus/"+name] = row{}
	}
	for _, name := range []string{"tests_70041_MDIB_Final.xml", "tests_70041_MDIB_multi.xml", "tests_mdib_tns.xml", "tests_reference_mdib.xml", "tutorial_provider_mdib.xml"} { // TestSDCCorpus
		rows["sdc-mdib/"+name] = row{}
	}
	data := os.DirFS(filepath.Join(root, "data"))
	for _, dir := range []string{"dicom-pdus", "hl7", "intellivue", "sdc-mdib"} {
		err := fs.WalkDir(data, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			r, ok := rows[name]
			if delete(rows, name); !ok {
				t.Errorf("%s: no row says what it says", name)
			}
			if r.frames == nil {
				return nil
			}
			b, err := fs.ReadFile(data, name)
			if err != nil {
				return err
			}
			if d := cmp.Diff(r.want, lines(run(platform.DirUnknown, r.frames(b)...).Facts)); d != "" {
				t.Errorf("%s (-want +got)\n%s", name, d)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range rows {
		t.Errorf("%s: no such sample", name)
	}
}

// dumped are the bytes of a dump in hexadecimal, with offsets of four digits in
// front of some lines and words behind others.
func dumped(text []byte) (b []byte) {
	for line := range strings.Lines(string(text)) {
		for i, word := range strings.Fields(line) {
			v, err := hex.DecodeString(word)
			if err != nil || len(v) != 1 {
				if i == 0 && len(v) == 2 {
					continue // an offset
				}
				break
			}
			b = append(b, v...)
		}
	}
	return b
}
