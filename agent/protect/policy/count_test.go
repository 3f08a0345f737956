package policy

import "testing"

func TestParsePrefix(t *testing.T) {
	for _, m := range []Mode{Stage, Enforce} {
		for _, d := range []Direction{To, From} {
			want := Refusal{Mode: m, Dir: d, Segment: "ward-3"}
			if got, ok := ParsePrefix(logPrefix(m, d, "ward-3")); !ok || got != want {
				t.Errorf("%q is %+v, %v, want %+v", logPrefix(m, d, "ward-3"), got, ok, want)
			}
		}
	}
	for prefix, want := range map[string]Refusal{prefixQuarantineLeave: {Mode: Enforce, Dir: To, Quarantine: true}, prefixQuarantineReach: {Mode: Enforce, Dir: From, Quarantine: true},
		prefixClaimDrop: {Mode: Enforce}, prefixClaimStage: {Mode: Stage}, prefixClaimDrop + "\x00": {Mode: Enforce}} {
		if got, ok := ParsePrefix(prefix); !ok || got != want {
			t.Errorf("%q is %+v, %v, want %+v", prefix, got, ok, want)
		}
	}
	for _, bad := range []string{"", "wk", "wk drop leave", "wk drop leave a b", "xx drop leave a", "wk pass leave a", "wk drop stay a", "wk quarantine claim -", "wk quarantine stay -"} {
		if got, ok := ParsePrefix(bad); ok {
			t.Errorf("%q is %+v, want nothing", bad, got)
		}
	}
}

func TestCountsAreExact(t *testing.T) {
	fw, _ := loadFake(t, compileLab(t).Table(1))
	for range 250 { // far above what is logged
		rowNamed(t, "intruder: smb to the pump").on(fw)
	}
	rowNamed(t, "pump to the pacs").on(fw)
	rowNamed(t, "intruder: gratuitous arp of the server").on(fw)
	rowNamed(t, "camera calls home").on(fw)
	want := map[Refusal]uint64{{Mode: Enforce, Dir: From, Segment: "infusion"}: 250, {Mode: Enforce, Dir: To, Segment: "infusion"}: 1,
		{Mode: Enforce}: 1, {Mode: Stage, Dir: To, Segment: "cameras"}: 1}
	for _, c := range Counts(readBack(t, fw)) {
		if c.Packets != want[c.Refusal] {
			t.Errorf("%+v counts %d, want %d", c.Refusal, c.Packets, want[c.Refusal])
		}
		delete(want, c.Refusal)
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
}
