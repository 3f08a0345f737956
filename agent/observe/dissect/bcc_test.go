package dissect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bccFrame writes a frame as it is on the wire.
func bccFrame(bed, info string) string {
	t := fmt.Sprintf("\x01%05d\x02%s>%s\x03", len(bed)+1+len(info)+bccHead+bccTail, bed, info)
	sum := 0
	for _, c := range []byte(t) {
		sum += int(c)
	}
	return strings.NewReplacer("D", "EX", "E", "EE", "d", "ex", "e", "ee").Replace(fmt.Sprintf("%s%05d\x04", t, sum%256))
}

// bccRecords joins records of slots.
func bccRecords(records ...string) string { return strings.Join(records, "\x1e") }

func bccAnswer() string {
	return bccFrame("bed/1/1", bccRecords("12,50111,GNMODEL,688F030006", "12,50111,INSERNUM,12345", "12,50111,INNR,7", "12,50111,INDTNR,8713030",
		"12,50111,INM3,1", "12,50111,INRT,250", "12,50112,GNNEW,8713820", "12,50112,DSSTATUS,00050", "12,50113,PATID,none", "12,50000,GNACK,0"))
}

func TestBCC(t *testing.T) {
	answer := BCC{PumpsLen: 2, Pumps: [maxBCCPump]BCCPump{
		{Slot: [2]byte{'1', '1'}, Model: TextOf("688F030006"), Number: TextOf("7"), TypeNumber: TextOf("8713030"), Serial: TextOf("12345"), State: BCCActive},
		{Slot: [2]byte{'1', '2'}, Model: TextOf("8713820"), State: BCCOff},
	}, Next: len(bccAnswer())}
	version := bccFrame("1/1/1", "12,50000,VERSION,V3.30")
	tests := []struct {
		name, b string
		want    BCC
	}{
		// The example of the vendor's document, whose checksum is 61.
		{"alive", "\x0100031\x021/1/1>AEXMIN:ALIVEE\x0300061\x04", BCC{Request: BCCAlive, Next: 33}},
		{"alive without stuffing", "\x0100031\x021/1/1>ADMIN:ALIVE\x0300061\x04", BCC{Request: BCCAlive, Next: 31}},
		{"version asked", bccFrame("1/1/1", "ADMIN:VERSION"), BCC{Request: BCCVersion, Next: 35}},
		{"values asked", bccFrame("1/1/1", "MEM:GETSLOT#12"), BCC{Request: BCCValues, Next: 36}},
		{"version", version, BCC{Version: TextOf("V3.30"), Next: len(version)}},
		{"version without a record", bccFrame("1/1/1", "V3.30"), BCC{Version: TextOf("V3.30"), Next: 25}},
		{"answer", bccAnswer(), answer},
		{"behind an acknowledgement", "\x06" + version, BCC{Version: TextOf("V3.30"), Next: len(version) + 1}},
		{"an answer behind it", version + bccAnswer(), BCC{Version: TextOf("V3.30"), Next: len(version)}},
		{"odd records", bccFrame("1/1/1", bccRecords("", ",", "1,501111,INNR,7", "1,50111,INNR,", "1,50111,INNR", "1,50211,INNR,7", "1,501,ADMIN,Vx")), BCC{Next: 90}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := BCC{Version: TextOf("left over")}
			if p := m.DecodeStream([]byte(tt.b)); p != Done {
				t.Fatal(p)
			}
			if tt.name == "odd records" {
				tt.want.Next = len(tt.b)
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestBCCStates(t *testing.T) {
	for in, want := range map[string]string{
		"INM3,1": "active", "INM3,0": "", "INM10,1": "kvo", "INM6,1": "standby", "INM1,1": "ready", "RUNSTATE,00002": "active", "RUNSTATE,6": "active",
		"RUNSTATE,1": "", "RUNSTATE,-": "", "DSSTATUS,00051": "on", "DSSTATUS,00050": "off", "DSSTATUS,1": "", "INRT,1": "", "INM3,-": "",
	} {
		var m BCC
		if p := m.DecodeStream([]byte(bccFrame("1/1/1", "1,50111,"+in))); p != Done {
			t.Fatalf("%s: %v", in, p)
		}
		if got := m.Pumps[0].State.String(); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// Of a rack that was not read to its end nobody knows that no pump infuses.
func TestBCCOfMorePumps(t *testing.T) {
	stands := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("1,501%c1,INM6,1", 'A'+i))
		}
		return all
	}
	for name, c := range map[string]struct {
		records []string
		want    string
	}{
		"all of it":                {stands(maxBCCPump), "standby"},
		"a pump more":              {append(stands(maxBCCPump), "1,501Z1,INM3,1"), ""},
		"a pump more, one infuses": {append(append(stands(1), "1,501B1,INM3,1"), stands(maxBCCPump+1)...), "active"},
		"longer than the window":   {append(stands(2), strings.Repeat("1,501A1,INRT,1\x1e", 80)+"1,501C1,INM3,1"), ""},
		"one infuses, and longer":  {append(stands(2), "1,501C1,INM10,1", strings.Repeat("1,501A1,INRT,1\x1e", 80)+"1,501D1,INM6,1"), "kvo"},
	} {
		var m BCC
		if p := m.DecodeStream([]byte(bccFrame("1/1/1", bccRecords(c.records...)))); p != Done {
			t.Fatalf("%s: %v", name, p)
		}
		state := BCCState(0)
		for _, p := range m.Pumps {
			state = max(state, p.State)
		}
		if state.String() != c.want {
			t.Errorf("%s: %q, want %q", name, state, c.want)
		}
	}
}

func TestBCCCutAnywhere(t *testing.T) {
	b := []byte(bccAnswer())
	for i := range b {
		m := BCC{Version: TextOf("left over")}
		if p := m.DecodeStream(b[:i]); p != NeedMore || m != (BCC{}) {
			t.Fatalf("%d bytes: %v", i, p)
		}
	}
}

func TestBCCWindow(t *testing.T) {
	long := bccFrame("1/1/1", bccRecords("1,50111,GNMODEL,688F030006", strings.Repeat("1,50112,INRT,1\x1e", 80)+"1,50113,INSERNUM,12345"))
	var m BCC
	if p := m.DecodeStream([]byte(long)); p != Done || m.PumpsLen != 1 || m.Next != bccWindow {
		t.Errorf("%v, %d pumps, next %d", p, m.PumpsLen, m.Next)
	}
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("1,501%c1,INNR,7", 'A'+i))
	}
	if p := m.DecodeStream([]byte(bccFrame("1/1/1", bccRecords(all...)))); p != Done || m.PumpsLen != maxBCCPump {
		t.Errorf("%v, %d pumps", p, m.PumpsLen)
	}
}

func TestBCCRefuses(t *testing.T) {
	good := bccAnswer()
	for name, b := range map[string]string{
		"checksum": strings.Replace(good, ",7\x1e", ",8\x1e", 1), "length": good[:4] + "9" + good[5:], "shorter": strings.Replace(good, "\x1e", "", 1),
		"stuffing": "\x0100031\x021/1/1>ADMIN:ALIVE\x0300062\x04", "no bed": "\x0100014\x02\x0300026\x04", "a frame begins in it": good[:30] + good,
		"no digits": "\x010x031\x02", "no STX": "\x0100031\x03", "two acknowledgements": "\x06\x06\x0100031\x02", "DICOM": "\x01\x00", "nothing like it": "x",
	} {
		m := BCC{}
		if p := m.DecodeStream([]byte(b)); p != No || m != (BCC{}) {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestBCCAllocs(t *testing.T) {
	b, m := []byte(bccAnswer()), new(BCC)
	noAllocs(t, func() { m.DecodeStream(b) })
}

func FuzzBCC(f *testing.F) {
	f.Add([]byte(bccAnswer()))
	f.Add([]byte("\x06" + bccFrame("1/1/1", "ADMIN:ALIVE")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m BCC
		if m.DecodeStream(b) == Done && (m.Next <= 0 || m.Next > len(b)) {
			t.Fatalf("next %d of %d", m.Next, len(b))
		}
		for i := range m.Pumps {
			_ = m.Pumps[i].State.String()
		}
		checkMessage(t, &m)
	})
}
