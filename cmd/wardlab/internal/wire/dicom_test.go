package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func examplePeer() Association {
	return Association{Called: "PACS1", Calling: "US1", Abstract: []string{UIDUSImage, UIDWorklistFind}, Implementation: "1.2.3", ImplementVersion: "V1"}
}

func TestAssociationRoundTrip(t *testing.T) {
	p, err := ReadPDU(bytes.NewReader(examplePeer().Request()))
	if err != nil {
		t.Fatal(err)
	}
	got, ids, err := ParseRequest(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	if p.Type != DICOMAssociateRQ || got.Called != "PACS1" || got.Calling != "US1" || !bytes.Equal(ids, []byte{1, 3}) {
		t.Errorf("type %d, %+v, contexts %v", p.Type, got, ids)
	}
	ac, err := ReadPDU(bytes.NewReader(examplePeer().Accept(ids)))
	if err != nil || ac.Type != DICOMAssociateAC {
		t.Errorf("accept: type %d, %v", ac.Type, err)
	}
}

func TestStoreIsSeveralPDUs(t *testing.T) {
	pdus := Store(3, 9, UIDUSImage, "1.2.3.4", "Fam", "Giv", 6000, 1200)
	if len(pdus) < 6 {
		t.Fatalf("%d PDUs, want the command and several of data", len(pdus))
	}
	var object []byte
	for i, raw := range pdus {
		p, err := ReadPDU(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		values, err := Values(p.Body)
		if err != nil || len(values) != 1 {
			t.Fatalf("PDU %d: %d values, %v", i, len(values), err)
		}
		v := values[0]
		if i == 0 {
			cmd, err := ParseCommand(v.Data)
			if diff := cmp.Diff(Command{Field: CommandStore, Message: 9, DataSet: true, Class: UIDUSImage}, cmd); diff != "" || err != nil {
				t.Errorf("command (-want +got):\n%s%v", diff, err)
			}
			continue
		}
		if v.Command || v.Last != (i == len(pdus)-1) {
			t.Errorf("PDU %d: command %v, last %v", i, v.Command, v.Last)
		}
		object = append(object, v.Data...)
	}
	if !strings.Contains(string(object), "Fam^Giv") {
		t.Error("the object has lost its patient")
	}
}

func TestSuccessAnswers(t *testing.T) {
	p, err := ReadPDU(bytes.NewReader(Success(3, Command{Field: CommandStore, Message: 9, Class: UIDUSImage})))
	if err != nil {
		t.Fatal(err)
	}
	values, err := Values(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := ParseCommand(values[0].Data)
	if diff := cmp.Diff(Command{Field: CommandStore | commandResponse, Message: 9, Class: UIDUSImage}, cmd); diff != "" || err != nil {
		t.Errorf("response (-want +got):\n%s%v", diff, err)
	}
}

func TestReaderRefuses(t *testing.T) {
	if _, err := ReadPDU(bytes.NewReader([]byte{4, 0, 0xff, 0, 0, 0})); err == nil || err.Error() != "dicom pdu longer than 1 MiB" {
		t.Errorf("long PDU: %v", err)
	}
	if _, err := ReadPDU(bytes.NewReader([]byte{4, 0, 0, 0, 0, 9, 1})); err == nil || err.Error() != "read dicom pdu of 9 octets: unexpected EOF" {
		t.Errorf("short PDU: %v", err)
	}
	if _, _, err := ParseRequest(make([]byte, 70)); err == nil || err.Error() != "dicom association request cut short" {
		t.Errorf("short request: %v", err)
	}
	if _, err := Values([]byte{0, 0, 0, 9, 1, 2, 3}); err == nil || err.Error() != "dicom data value cut short" {
		t.Errorf("short value: %v", err)
	}
	if _, err := ParseCommand(nil); err == nil || err.Error() != "dicom command set without command field" {
		t.Errorf("empty command: %v", err)
	}
}

func FuzzDICOM(f *testing.F) {
	f.Add(examplePeer().Request())
	f.Add(bytes.Join(Store(1, 1, UIDUSImage, "1.2", "A", "B", 100, 50), nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for {
			p, err := ReadPDU(r)
			if err != nil {
				return
			}
			if a, ids, err := ParseRequest(p.Body); err == nil {
				a.Accept(ids)
			}
			values, _ := Values(p.Body)
			for _, v := range values {
				ParseCommand(v.Data)
			}
		}
	})
}
