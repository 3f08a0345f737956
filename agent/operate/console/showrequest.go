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
	p.fingerprint(id.Fingerprint)
	p.line("Compare the key with what wardctl enrol approve shows of this request:")
	p.line("")
	for l := range strings.Lines(id.Request) {
		p.line("%s", strings.TrimRight(l, "\r\n"))
	}
	return p.String()
}

// fingerprint writes a key's in two lines of eight groups, as wardctl does: they
// are compared by eye.
func (p *page) fingerprint(fp string) {
	if fp == "" {
		return
	}
	half := len(fp) / 2
	p.line("key       %s", fp[:half])
	p.line("          %s", strings.TrimSpace(fp[half:]))
}
