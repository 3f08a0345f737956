package dissect

import (
	"slices"
	"strings"
	"testing"
)

// tokens are all that a scanner shows of a document.
func tokens(doc string) (all []string) {
	s := xmlScanner{b: []byte(doc)}
	for kind := s.next(); kind != 0; kind = s.next() {
		switch kind {
		case xmlStart:
			all = append(all, "<"+string(s.name)+"|"+string(s.attribute("a")))
		case xmlEnd:
			all = append(all, "/"+string(s.name))
		case xmlText:
			all = append(all, string(s.text))
		}
	}
	return all
}

func TestXMLScanner(t *testing.T) {
	tests := []struct {
		name, doc string
		want      []string
	}{
		{"nested", "<?xml version='1.0'?>\n<a><n:b x:a='1'>t</n:b></a>", []string{"<a|", "<n:b|1", "t", "/n:b", "/a"}},
		{"empty element", `<a a = "x>y" /><b/>`, []string{"<a|x>y", "/a", "<b|", "/b"}},
		{"comment and CDATA are passed over", "<a><!-- <b> --><![CDATA[<c>secret]]>t</a>", []string{"<a|", "t", "/a"}},
		{"document type", "<a/><!DOCTYPE x [<!ENTITY y 'z'>]><b/>", []string{"<a|", "/a"}},
		{"tag that is cut", "<a>t<b a='1'", []string{"<a|", "t"}},
		{"text that nothing follows", "<a>t", []string{"<a|"}},
		{"tag in a tag", "<a <b>", nil},
		{"no name", "<>", nil},
		{"attribute without a value", "<a b a='1'>", []string{"<a|"}},
		{"quote that never ends", "<a a='1>", nil},
	}
	for _, tt := range tests {
		if got := tokens(tt.doc); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSetXML(t *testing.T) {
	for src, want := range map[string]string{
		" Dr&#228;ger &amp; Co. \n": "Dr_ger & Co.", "&#x41;&#65;&apos;": "AA'", "&lt;&gt;&quot;": "___", "&other;x": "_x", "a&b": "a", "&#x;": "", "&#99999999;": "_",
		"&#zz;":                      "_",
		strings.Repeat("&amp;", 200): strings.Repeat("&", textSize), "&#1234567890123;": "",
	} {
		var got Text
		got.setXML([]byte(src))
		if got.String() != want {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add("<?xml version='1.0'?><a><n:b x:a='1'>t&amp;</n:b><!-- c --></a>")
	f.Fuzz(func(t *testing.T, doc string) {
		tokens(doc)
		var text Text
		text.setXML([]byte(doc))
		checkMessage(t, &text)
	})
}
