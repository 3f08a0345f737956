package dissect

import (
	"bytes"
	"strings"
	"testing"
)

// pollResult is the result of a poll with one object for each list of
// attributes; op 2 is a result, 5 a linked one.
func pollResult(op, action, class uint16, objects ...string) []byte {
	var list string
	for i, o := range objects {
		list += string(u16s(uint16(i+1))) + string(connect(strings.Split(o, "|")...)[28:])
	}
	context := string(u16s(0, uint16(len(objects)))) + string(block16([]byte(list)))
	times, sequence := strings.Repeat("\x55", 12), ""
	if action == ivExtendedPoll {
		sequence = "\x00\x01"
	}
	reply := "\x00\x07" + sequence + times + string(u16s(1, class, 0, 1)) + string(block16([]byte(context)))
	command := string(u16s(0x21, 0, 0, action)) + string(block16([]byte(reply)))
	result := string(u16s(9, ivAction)) + string(block16([]byte(command)))
	if op == 5 {
		result = "\x01\x01" + result
	}
	return append(u16s(0xe100, 2, op), block16([]byte(result))...)
}

func TestIntelliVuePoll(t *testing.T) {
	result := func(sends IntelliVueContent, patient IntelliVuePatient, mode IntelliVueMode) IntelliVue {
		return IntelliVue{Kind: IntelliVueDataResponse, RemoteOp: 2, Command: 7, Sends: sends, Patient: patient, Mode: mode}
	}
	linked := func(m IntelliVue) IntelliVue { m.RemoteOp, m.Command = 5, 0; return m }
	numeric := "\x09\x50\x41\x82\x00\x00\x0a\xa0\x00\x00\x00\x48"
	for _, tt := range []struct {
		name string
		b    []byte
		want IntelliVue
	}{
		{"values", pollResult(2, ivPoll, ivNumerics, numeric, numeric), result(IntelliVueValues, 0, 0)},
		{"values of an extended poll", pollResult(2, ivExtendedPoll, ivNumerics, numeric), result(IntelliVueValues, 0, 0)},
		{"linked waves", pollResult(5, ivExtendedPoll, ivWaves, "\x09\x6e\x41\x82"), linked(result(IntelliVueWaves, 0, 0))},
		{"nothing is measured", pollResult(2, ivPoll, ivNumerics), result(IntelliVueNothing, 0, 0)},
		{"the monitor itself", pollResult(2, ivPoll, ivMDS, "\x09\x1ebed|\x09\x46\x00\x02|\x09\x28\x00\x01a"), result(0, 0, IntelliVueStandby)},
		{"a patient is admitted", pollResult(2, ivPoll, ivPatient, "\x09\x5dname|\x09\x57\x00\x02|\x09\x5aid"), result(0, IntelliVueAdmitted, 0)},
		{"none is", pollResult(2, ivPoll, ivPatient, "\x09\x57\x00\x00"), result(0, IntelliVueEmpty, 0)},
		{"discharged", pollResult(2, ivPoll, ivPatient, "\x09\x57\x00\x08"), result(0, 0, 0)},
		{"a mode among values", pollResult(2, ivPoll, ivNumerics, "\x09\x46\x00\x02"), result(IntelliVueValues, 0, 0)},
		{"alarms", pollResult(2, ivPoll, 0x36, "\x09\x46\x00\x02"), result(0, 0, 0)},
		{"another action", pollResult(2, 0x0c17, ivNumerics, numeric), result(0, 0, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) { recognised(t, (*IntelliVue).Decode, tt.b, tt.want) })
	}
	good := pollResult(2, ivPoll, ivNumerics, numeric)
	for _, at := range []int{12, 13, 22, 23, 46, 47} { // lengths: of the command, the action, the list
		lie := bytes.Clone(good)
		lie[at] ^= 1
		var m IntelliVue
		if m.Decode(lie); m.Sends != 0 {
			t.Errorf("byte %d changed: sends %s", at, m.Sends)
		}
	}
}

func TestCanaryIntelliVuePoll(t *testing.T) {
	var k marker
	var all []canary
	for _, class := range []uint16{ivNumerics, ivWaves, ivMDS, ivPatient, 0x36} {
		for _, action := range []uint16{ivPoll, ivExtendedPoll} {
			var attributes []string
			for _, id := range []string{"\x09\x1e", "\x09\x46", "\x09\x28", "\x09\x2d", "\x09\x57", "\x09\x58", "\x09\x5a", "\x09\x5c", "\x09\x5d", "\x09\x50", "\x09\x6e", "\xf0\x01"} {
				attributes = append(attributes, id+k.next())
			}
			all = append(all, canary{"poll", pollResult(2, action, class, strings.Join(attributes, "|")), 0}, canary{"linked", pollResult(5, action, class, attributes...), 0})
		}
	}
	checkCanaries(t, (*IntelliVue).Decode, all...)
}
