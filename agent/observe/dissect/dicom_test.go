package dissect

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dicomVector is the synthetic association request of protocols.md.
const dicomVector = "01000000012300010000504143535f544553542020202020202043545f5445535420202020202020202000000000000000000000000000000000000000000000" +
	"0000000000000000000010000015312e322e3834302e31303030382e332e312e312e312000004d0100000030000019312e322e3834302e31303030382e352e31" +
	"2e342e312e312e3240000013312e322e3834302e31303030382e312e322e3140000011312e322e3834302e31303030382e312e32200000330300000030000016" +
	"312e322e3834302e31303030382e352e312e342e333140000011312e322e3834302e31303030382e312e325000003a51000004000040005200001b312e322e32" +
	"37362e302e373233303031302e332e302e332e362e375500000f4f464649535f44434d544b5f333637"

// item is a DICOM item.
func item(kind byte, body string) string {
	return string([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}) + body
}

// association is a PDU of the given kind with items behind the application context.
func association(kind byte, items ...string) []byte {
	body := "\x00\x01\x00\x00" + "STORE-1         " + "SCANNER-2       " + strings.Repeat("\x00", 32) + item(0x10, dicomContext) + strings.Join(items, "")
	n := len(body)
	return append([]byte{kind, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

func proposed(id byte, uid string) string {
	return item(0x20, string([]byte{id, 0, 0, 0})+item(0x30, uid)+item(0x40, "1.2.840.10008.1.2"))
}

func answered(id, result byte) string {
	return item(0x21, string([]byte{id, 0, result, 0})+item(0x40, "1.2.840.10008.1.2"))
}

func role(uid string, scu, scp byte) string {
	return item(0x54, string([]byte{0, byte(len(uid))})+uid+string([]byte{scu, scp}))
}

func TestDICOM(t *testing.T) {
	rq := func(b []byte, f func(*DICOM)) DICOM {
		m := DICOM{PDU: DICOMAssociateRQ, Length: uint32(len(b) - 6), CalledAE: TextOf("STORE-1"), CallingAE: TextOf("SCANNER-2")}
		f(&m)
		return m
	}
	contexts := func(m *DICOM, c ...DICOMContext) { m.ContextsLen = uint8(copy(m.Contexts[:], c)) }
	vector := unhex(t, dicomVector)
	roles := association(1, proposed(1, "1.2.3"), proposed(3, "1.2.4"), item(0x50, role("1.2.4", 0, 1)+role("1.2.9", 1, 1)))
	ac := association(2, answered(1, 0), answered(3, 4), item(0x50, item(0x51, "\x00\x00\x80\x00")+item(0x52, "1.2.3.4\x00")+role("1.2.3", 1, 1)))
	lies := association(1, proposed(1, "1.2.3"), "\x20\x00\xff\xff\x03\x00\x00\x00", item(0x50, item(0x55, "never")))
	inner := association(1, item(0x20, "\x01\x00\x00\x00\x30\x00\x09\x99abc"), item(0x50, "\x52\x00\x00\xff1.2"), item(0x20, "\x03"))
	wrong := association(1, answered(1, 0), proposed(3, "not a uid"), item(0x50, item(0x51, "abc")+item(0x52, "x")+item(0x54, "\x00\x01")+item(0x54, "\x00\x09abc")))
	strange := association(1, answered(1, 0), proposed(3, "not a uid"), item(0x50, item(0x51, "abc")+item(0x52, "x")))
	open := association(1, proposed(1, "1.2.3"), item(0x50, ""), item(0x52, "1.2.3.4"), item(0x55, "never"))
	nested := association(1, item(0x50, item(0x52, "1.2.3.4")+proposed(1, "1.2.3")))
	none := func(*DICOM) {} // where a length lies no item is what it seems
	tests := []struct {
		name string
		b    []byte
		want DICOM
	}{
		{"vector", vector, DICOM{PDU: DICOMAssociateRQ, Length: 291, CalledAE: TextOf("PACS_TEST"), CallingAE: TextOf("CT_TEST"),
			ImplClassUID: UIDOf("1.2.276.0.7230010.3.0.3.6.7"), ImplVersion: TextOf("OFFIS_DCMTK_367"), ContextsLen: 2, UserInfo: true,
			Contexts: [maxContexts]DICOMContext{{ID: 1, Abstract: UIDOf("1.2.840.10008.5.1.4.1.1.2"), SCU: true}, {ID: 3, Abstract: UIDOf("1.2.840.10008.5.1.4.31"), SCU: true}}}},
		{"roles", roles, rq(roles, func(m *DICOM) {
			m.roles, m.UserInfo = 2, true
			contexts(m, DICOMContext{ID: 1, Abstract: UIDOf("1.2.3"), SCU: true}, DICOMContext{ID: 3, Abstract: UIDOf("1.2.4"), SCP: true})
		})},
		{"answer", ac, rq(ac, func(m *DICOM) {
			m.PDU, m.ImplClassUID, m.UserInfo = DICOMAssociateAC, UIDOf("1.2.3.4"), true
			contexts(m, DICOMContext{ID: 1}, DICOMContext{ID: 3, Result: 4})
		})},
		{"another PDU behind it", append(bytes.Clone(ac), 4, 0, 0, 0, 0, 9), rq(ac, func(m *DICOM) {
			m.PDU, m.ImplClassUID, m.UserInfo = DICOMAssociateAC, UIDOf("1.2.3.4"), true
			contexts(m, DICOMContext{ID: 1}, DICOMContext{ID: 3, Result: 4})
		})},
		{"an item length that lies", lies, rq(lies, none)},
		{"a sub-item length that lies", inner, rq(inner, none)},
		{"a role that does not fit", wrong, rq(wrong, none)},
		{"items of another kind", strange, rq(strange, func(m *DICOM) { m.UserInfo = true; contexts(m, DICOMContext{ID: 3, SCU: true}) })},
		{"user items in the open", open, rq(open, none)},
		{"a context among the user items", nested, rq(nested, none)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := DICOM{ImplVersion: TextOf("left over")}
			if p := m.DecodeStream(tt.b); p != Done {
				t.Fatal(p)
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestDICOMCutAnywhere(t *testing.T) {
	b := unhex(t, dicomVector)
	for i := range b {
		m := DICOM{ImplVersion: TextOf("left over")}
		if p := m.DecodeStream(b[:i]); p != NeedMore || i > 0 && !m.ImplVersion.IsZero() || (i >= dicomItems+len(dicomFirstItem)) != (m.CallingAE.String() == "CT_TEST") {
			t.Fatalf("%d bytes: %v, calling %q, version %q", i, p, m.CallingAE, m.ImplVersion)
		}
	}
}

func TestDICOMBounds(t *testing.T) {
	var many []string
	for i := range 200 {
		many = append(many, proposed(byte(2*i+1), "1.2.3"))
	}
	var m DICOM
	if p := m.DecodeStream(association(1, many...)); p != Done || m.ContextsLen != maxContexts {
		t.Errorf("%v, %d contexts", p, m.ContextsLen)
	}
	long := association(1, append(many, item(0x50, strings.Repeat(role("1.2.3", 1, 1), 3000)))...)
	if p := m.DecodeStream(long[:dicomWindow]); p != Done {
		t.Errorf("an association longer than the window: %v", p)
	}
	if p := m.DecodeStream(association(1, item(0x50, strings.Repeat(role("1.2.3", 1, 1), 900)))); p != Done || m.roles != maxContexts {
		t.Errorf("%v, %d role selections", p, m.roles)
	}
}

func TestDICOMData(t *testing.T) {
	data := []byte{4, 0, 0, 0, 0x10, 0, 0, 0, 0x0f, 0xfc, 3, 3, 0, 0, 0, 0}
	var m DICOM
	if p := m.DecodeStream(data); p != Done || m != (DICOM{PDU: DICOMData, Length: 4096, Context: 3, Alone: true}) {
		t.Errorf("%v, %+v", p, m.PDU)
	}
	for i := range 12 {
		if p := m.DecodeStream(data[:i]); p != NeedMore {
			t.Errorf("%d bytes: %v", i, p)
		}
	}
}

func TestDICOMShort(t *testing.T) {
	for name, want := range map[string]DICOM{
		"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07":         {PDU: DICOMAssociateRJ, Length: 4, Result: 1, Source: 1, Reason: 7},
		"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00":         {PDU: DICOMReleaseRQ, Length: 4},
		"\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00":         {PDU: DICOMReleaseRP, Length: 4},
		"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x04":         {PDU: DICOMAbort, Length: 4, Source: 2, Reason: 4},
		"\x04\x00\x00\x00\x00\x08\x00\x00\x00\x04\x05\x02": {PDU: DICOMData, Length: 8, Context: 5, Dataset: true, Alone: true},
	} {
		m := DICOM{ImplVersion: TextOf("left over")}
		if p := m.DecodeStream([]byte(name)); p != Done || m != want {
			t.Errorf("%x: %v, %v", name, p, m.PDU)
		}
		for i := range len(name) {
			if p := m.DecodeStream([]byte(name[:i])); p != NeedMore {
				t.Errorf("%x, %d bytes: %v", name, i, p)
			}
		}
	}
}

// TestDICOMSamples reads the PDUs and messages of a public test suite in the
// corpus, which are no part of the project. One without a row fails.
func TestDICOMSamples(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS is not set")
	}
	read := func(name string) (samples map[string]string) {
		text, err := os.ReadFile(filepath.Join(dir, "data", "dicom-pdus", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &samples); err != nil {
			t.Fatal(err)
		}
		return samples
	}
	for _, name := range []string{"encoded_dimse_msg.json", "encoded_dimse_n_msg.json"} {
		for name, text := range read(name) { // the byte of control, and the value behind it
			value, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			n := len(value) + 1 // with the context
			b := append([]byte{4, 0, 0, 0, byte((n + 4) >> 8), byte(n + 4), 0, 0, byte(n >> 8), byte(n), 5}, value...)
			dataset := strings.Contains(name, "_ds")
			want := DICOM{PDU: DICOMData, Length: uint32(n + 4), Context: 5, Dataset: dataset, Alone: true}
			if m := new(DICOM); m.DecodeStream(b) != Done || *m != want {
				t.Errorf("%s: %v, context %d, dataset %v", name, m.PDU, m.Context, m.Dataset)
			}
		}
	}
	pdus := read("encoded_pdu_items.json")
	// Parts of a PDU: none is one by itself.
	for _, name := range strings.Fields("asynchronous_window_ops user_identity_rq_user_nopw user_identity_rq_user_pass user_identity_ac application_context application_context_empty presentation_context_rq " +
		"presentation_context_rq_utf8 presentation_context_ac abstract_syntax transfer_syntax presentation_data maximum_length_received implementation_class_uid implementation_class_uid_empty " +
		"implementation_version_name implementation_version_name_empty role_selection role_selection_odd user_information extended_negotiation common_extended_negotiation") {
		if b, err := hex.DecodeString(pdus[name]); err != nil || len(b) == 0 || describeDICOM(b) != "no" {
			t.Errorf("%s: %v, %s", name, err, describeDICOM(b))
		}
		delete(pdus, name)
	}
	const secret = "a_associate_rq_user_id_user_pass"
	const pynet = "1.2.826.0.1.3680043.9.3811.0.9.0 PYNETDICOM_090"
	for name, want := range map[string]string{
		"a_associate_rq":                   "1 ANY-SCP ECHOSCU " + pynet + " [1.2.840.10008.1.1 scu]",
		"a_associate_rq_user_async":        "1 ANY-SCP ECHOSCU " + pynet + " [1.2.840.10008.1.1 scu]",
		"a_associate_rq_role":              "1 ANY-SCP GETSCU " + pynet + " [1.2.840.10008.5.1.4.1.1.2 scp]",
		"a_associate_rq_user_id_user_pass": "1 ANY-SCP STORESCU 1.2.276.0.7230010.3.0.3.6.0 OFFIS_DCMTK_360 [1.2.840.10008.5.1.4.1.1.2 scu]",
		"a_associate_rq_user_id_ext_neg":   "1 ANY-SCP ECHOSCU " + pynet + " [1.2.840.10008.1.1 scu] [1.2.840.10008.5.1.4.1.1.2 scu] [1.2.840.10008.5.1.4.1.1.4 scu]",
		"a_associate_rq_called":            "1  ANY- " + pynet + " [1.2.840.10008.1.1 scu]",
		"a_associate_rq_calling":           "1 ANY-  " + pynet + " [1.2.840.10008.1.1 scu]",
		"a_associate_ac":                   "2 ANY-SCP ECHOSCU 1.2.276.0.7230010.3.0.3.6.0 OFFIS_DCMTK_360 [ 0]",
		"a_associate_rj":                   "3 1/1/1",
		"a_release_rq":                     "5",
		"a_release_rp":                     "6",
		"a_abort":                          "7 0/0/0",
		"a_p_abort":                        "7 0/2/4",
		"p_data_tf":                        "4 1",
		"p_data_tf_rq":                     "4 1",
		"p_data_tf_n_event_report":         "4 1",
		"a_associate_rq_com_ext_neg":       "2 ANY-SCP ECHOSCU " + pynet + " [ 0] [ 0] [ 0]", // an acceptance, in spite of its name
		"a_associate_ac_user":              "2 ANY-SCP ECHOSCU  ",                            // its length is 14 too short
		"a_associate_ac_zero_ts":           "2 ANY-SCP PYNETDICOM 2.16.840.1 MergeCOM3_390IB2 [ 0] [ 3]",
		"a_associate_ac_no_ts":             "2 ANY-SCP PYNETDICOM 1.2.826.0.1.3680043.9.3811.1.4.0 PYNETDICOM_140 [ 3]",
	} {
		b, err := hex.DecodeString(pdus[name])
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: %v, %d bytes", name, err, len(b))
		}
		if got := describeDICOM(b); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if name != secret {
			delete(pdus, name)
		}
	}
	for name := range pdus {
		if name != secret {
			t.Errorf("%s: no row says what it says", name)
		}
	}
	var m DICOM
	b, _ := hex.DecodeString(pdus[secret])
	if m.DecodeStream(b); bytes.Contains(raw(&m), []byte("pynetdicom")) || bytes.Contains(raw(&m), []byte("p4ssw0rd")) {
		t.Error("the user's identity was read")
	}
}

// describeDICOM is a PDU in a line.
func describeDICOM(b []byte) string {
	var m DICOM
	if p := m.DecodeStream(b); p != Done {
		return p.String()
	}
	s := fmt.Sprint(m.PDU)
	switch m.PDU {
	case DICOMData:
		return fmt.Sprint(s, " ", m.Context)
	case DICOMAssociateRJ, DICOMAbort:
		return fmt.Sprintf("%s %d/%d/%d", s, m.Result, m.Source, m.Reason)
	case DICOMReleaseRQ, DICOMReleaseRP:
		return s
	}
	s += fmt.Sprintf(" %s %s %s %s", m.CalledAE, m.CallingAE, m.ImplClassUID, m.ImplVersion)
	for _, c := range m.Contexts[:m.ContextsLen] {
		role := fmt.Sprint(c.Result)
		if m.PDU == DICOMAssociateRQ {
			role = map[[2]bool]string{{true, false}: "scu", {false, true}: "scp", {true, true}: "both"}[[2]bool{c.SCU, c.SCP}]
		}
		s += fmt.Sprintf(" [%s %s]", c.Abstract, role)
	}
	return s
}

func TestDICOMRefuses(t *testing.T) {
	good := association(1, proposed(1, "1.2.3"))
	edit := func(b []byte, at int, v byte) []byte { b = bytes.Clone(b); b[at] = v; return b }
	data := []byte{4, 0, 0, 0, 0x10, 0, 0, 0, 0x0f, 0xfc, 3, 3}
	for name, b := range map[string][]byte{
		"another type": {8, 0, 0, 0}, "TPKT": {3, 0, 0, 19, 14, 0xe0}, "rejection": {3, 0, 0, 0, 0, 4, 0, 3, 1, 1}, "release": {5, 0, 0, 0, 0, 4, 0, 0, 0, 1}, "abort": {7, 0, 0, 0, 0, 4, 0, 0, 1, 0},
		"release of another length": {6, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0}, "second byte": edit(good, 1, 1), "too short": edit(good, 5, 20), "too long": edit(good, 2, 1), "version": edit(good, 7, 2),
		"first item": edit(good, 74, 0x20), "first item's length": edit(good, 77, 0x40), "application context": edit(good, 80, '9'),
		"data too long": edit(data, 2, 9), "data too short": {4, 0, 0, 0, 0, 5}, "value past the data": edit(data, 8, 0x10), "even context": edit(data, 10, 2), "control": edit(data, 11, 4), "empty value": {4, 0, 0, 0, 0, 9, 0, 0, 0, 1, 1, 1},
	} {
		if p := new(DICOM).DecodeStream(b); p != No {
			t.Errorf("%s: %v, want no", name, p)
		}
	}
}

func TestUID(t *testing.T) {
	for in, want := range map[string]string{"1.2.3": "1.2.3", "1.2.3\x00": "1.2.3", "1.2.3 ": "1.2.3", "1.2.x": "", "": "", strings.Repeat("1", 65): "", strings.Repeat("1", 64): strings.Repeat("1", 64)} {
		u := UIDOf(in)
		if u.String() != want || string(u.AppendTo(nil)) != want || u.IsZero() != (want == "") {
			t.Errorf("%q: %q, want %q", in, u, want)
		}
	}
	u := UIDOf("1.2.34")
	for prefix, want := range map[string]bool{"1.2": true, "1.2.34": true, "1.2.3": false, "1.2.34.5": false} {
		if u.HasPrefix(prefix) != want {
			t.Errorf("HasPrefix(%q) = %v", prefix, !want)
		}
	}
}

func TestDICOMAllocs(t *testing.T) {
	b, m := unhex(t, dicomVector), new(DICOM)
	roles := association(1, proposed(1, "1.2.3"), item(0x50, role("1.2.3", 0, 1)))
	noAllocs(t, func() { m.DecodeStream(b); m.DecodeStream(roles) })
}

func FuzzDICOM(f *testing.F) {
	f.Add(unhex(f, dicomVector))
	f.Add(association(2, answered(1, 0), item(0x50, role("1.2.3", 1, 1))))
	f.Add([]byte{4, 0, 0, 0, 0x10, 0, 0, 0, 0x0f, 0xfc, 3, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m DICOM
		m.DecodeStream(b)
		m.ImplClassUID.HasPrefix("1.2")
		checkMessage(t, &m)
	})
}
