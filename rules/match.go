package rules

import (
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// kindIndex holds the signatures of one kind, by the cost of asking them.
type kindIndex struct {
	equals map[string][]*Signature // folded value
	others []*Signature
}

// Match calls f for every signature that matches a fact of that kind and value,
// in the order of their ids within each way of matching.
func (s *Set) Match(kind fact.Kind, value string, f func(*Signature)) {
	ix, ok := s.byKind[kind]
	if !ok || value == "" {
		return
	}
	low := strings.ToLower(value)
	for _, sig := range ix.equals[low] {
		f(sig)
	}
	for _, sig := range ix.others {
		if sig.matches(value, low) {
			f(sig)
		}
	}
}

// matches asks all ways but Equals. The lists are in lower case already.
func (s *Signature) matches(value, low string) bool {
	if s.re != nil {
		return s.re.MatchString(value)
	}
	for _, p := range s.Prefix {
		if strings.HasPrefix(low, p) {
			return true
		}
	}
	for _, p := range s.Suffix {
		if strings.HasSuffix(low, p) {
			return true
		}
	}
	for _, p := range s.Contains {
		if strings.Contains(low, p) {
			return true
		}
	}
	return false
}

// expand fills a template from a value that the signature matched. Empty and
// unmatched groups leave nothing behind.
func (s *Signature) expand(template, value string) string {
	if template == "" || !strings.Contains(template, "$") {
		return template
	}
	if s.re == nil {
		return strings.TrimSpace(strings.NewReplacer("${0}", value, "$0", value).Replace(template))
	}
	m := s.re.FindStringSubmatchIndex(value)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(string(s.re.ExpandString(nil, template, value, m)))
}
