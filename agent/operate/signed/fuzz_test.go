package signed

import (
	"bytes"
	"testing"
)

// Whatever is taken as an envelope is the same envelope once it was written.
func FuzzParse(f *testing.F) {
	text, err := sign(f, statement(f, Ping{}), "anna", "berta").Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"payload":"QQ==","payload":"QR==","payloadType":"","signatures":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := Parse(text)
		if err != nil {
			if reason(err) != ReasonMalformed && reason(err) != ReasonOversize {
				t.Fatalf("refused for %v", err)
			}
			return
		}
		once, err := e.Encode()
		if err != nil {
			return // only its size
		}
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, err := again.Encode(); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s, then %s: %v", once, twice, err)
		}
	})
}

// Whatever is taken as a statement has no second spelling.
func FuzzStatement(f *testing.F) {
	for _, a := range []Args{Ping{}, Quarantine{Device: "d", Seconds: 1, Hooks: []string{"a"}, Code: "c"}, Mode{"x", ModeStage}, Explain{Device: "d"},
		Policy{TOML: "<&>\u2028é"}, DeviceSet{Entries: []DeviceEntry{{Device: "d", Tags: []string{"x"}}}}, rootArgs(1, hospital())} {
		f.Add(sign(f, statement(f, a)).Payload)
	}
	f.Add([]byte(`{"op":"release","OP":"quarantine"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := ParseStatement(payload)
		if err != nil {
			if reason(err) == "" {
				t.Fatal("refused for nothing")
			}
			return
		}
		again, err := encode(s)
		if err != nil || !bytes.Equal(payload, again) {
			t.Fatalf("%s: %v", again, err)
		}
		if s.NotBeforeTime().IsZero() || !s.NotBeforeTime().Before(s.ExpiresTime()) {
			t.Fatal("no time")
		}
	})
}

// Whatever is taken as the args of a root can be changed by its people, and
// never without them.
func FuzzRoot(f *testing.F) {
	args, err := encode(rootArgs(1, hospital(), RoleRoot))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(args)
	f.Add([]byte(`{"v":1,"version":1,"keys":[],"roles":{}}`))
	f.Fuzz(func(t *testing.T, args []byte) {
		a, err := DecodeArgs[RootArgs](Statement{Kind: KindRoot, Args: args})
		if err != nil {
			if reason(err) != ReasonInvalidArgs && reason(err) != ReasonNotCanonical {
				t.Fatalf("refused for %v", err)
			}
			return
		}
		if q := a.Roles[RoleRoot]; q.Threshold < 1 || len(q.KeyIDs) < q.Threshold {
			t.Fatalf("%d of %d", q.Threshold, len(q.KeyIDs))
		}
		if a.Version != 1 {
			return
		}
		s := statement(t, Ping{})
		s.Kind, s.Op, s.Root, s.Args = KindRoot, "", 0, args
		e, err := Sign(s, key("mallory"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := selfSigned(e); err == nil {
			t.Fatal("a stranger signed it")
		}
	})
}
