package console

import "strings"

// showRequest writes the certificate request as it is, for a terminal that
// records: PEM has lines of 64 columns.
func showRequest(s Source) string {
	var p page
	id := s.Uplink().Identity
	if id.Request == "" {
		p.line("no request: no key is configured for the uplink, or none could be made yet")
		return p.String()
	}
	p.words("state     ", id.State)
	p.words("key       ", id.Fingerprint)
	p.line("Compare the key with what wardctl enrol approve shows of this request:")
	p.line("")
	for l := range strings.Lines(id.Request) {
		p.line("%s", strings.TrimRight(l, "\r\n"))
	}
	return p.String()
}
