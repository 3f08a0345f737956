package console

import (
	"fmt"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// maxTalks is how many conversations of one device are shown.
const maxTalks = 12

// showDevices lists devices, or those that a word is found in.
func showDevices(s Source, word string) string {
	var p page
	inv := s.Inventory()
	p.line("%-23s %-20s %-9s %-6s %s", "id", "role", "sure", "port", "vendor, model")
	shown := 0
	for i := range inv.Devices {
		d := &inv.Devices[i]
		made := strings.TrimSpace(d.Identity.Vendor.Value + " " + d.Identity.Model.Value)
		if word != "" && !found(word, string(d.ID), string(d.Identity.Role), sure(d), d.Port, made) {
			continue
		}
		shown++
		p.line("%s %s %s %s %s", cell(string(d.ID), 23), cell(string(d.Identity.Role), 20), cell(sure(d), 9), cell(d.Port, 6), made)
	}
	switch {
	case shown > screenLines(usualRows):
		p.line("%d devices; show devices WORD finds some of them", shown)
	case shown == 0 && word != "":
		p.line("no device with %q", cut(clean(word), 20))
	case shown == 0:
		p.line("no device yet")
	}
	return p.String()
}

func found(word string, in ...string) bool {
	for _, s := range in {
		if strings.Contains(strings.ToLower(s), strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// sure is the confidence, or that a person said so.
func sure(d *device.Device) string {
	if d.Identity.Pinned {
		return "pinned"
	}
	return d.Identity.Confidence.String()
}

// find takes an id, or the beginning or end that only one device has.
func find(inv *device.Snapshot, word string) (*device.Device, []string) {
	word = strings.ToLower(word)
	if d := inv.Find(device.ID(word)); d != nil {
		return d, nil
	}
	var hit *device.Device
	var ids []string
	for i := range inv.Devices {
		if id := string(inv.Devices[i].ID); strings.HasPrefix(id, word) || strings.HasSuffix(id, word) {
			hit = &inv.Devices[i]
			ids = append(ids, id)
		}
	}
	if len(ids) == 1 {
		return hit, nil
	}
	return nil, ids
}

// findOne finds the device, or says why not.
func findOne(inv *device.Snapshot, word string) (d *device.Device, refused string) {
	var p page
	d, ids := find(inv, word)
	switch {
	case d != nil:
	case len(ids) == 0:
		p.line("no device %q", cut(clean(word), 30))
	default:
		p.line("%q could be one of %d:", cut(clean(word), 30), len(ids))
		for _, id := range ids[:min(len(ids), 10)] {
			p.line("  %s", id)
		}
	}
	return d, p.String()
}

// showDevice is one device with the reasons for its role. Of what it said about
// itself only vendor, model and version are shown.
func showDevice(s Source, word string) string {
	var p page
	d, refused := findOne(s.Inventory(), word)
	if d == nil {
		return refused
	}
	id := &d.Identity
	where := d.Port
	if d.VLAN != 0 {
		where += fmt.Sprintf(", VLAN %d", d.VLAN)
	}
	p.line("device    %s on %s", d.ID, where)
	var ips []string
	for _, ip := range d.IPs {
		ips = append(ips, ip.String())
	}
	if len(ips) > 0 {
		p.words("address   ", strings.Join(ips, ", "))
	}
	p.line("seen      %s to %s", moment(d.FirstSeen), moment(d.LastSeen))
	p.line("role      %s (%s), %s", id.Role, id.Class, sure(d))
	p.line("use       %s", used(d.Utilisation))
	if d.Pin != nil {
		p.words("pinned    ", "by "+d.Pin.By+": "+d.Pin.Reason)
	}
	over := ""
	if id.RunnerUp != "" {
		over = fmt.Sprintf(", %.1f above %s", id.Margin, id.RunnerUp)
	}
	p.line("score     %.1f%s", id.Score, over)
	for _, a := range []struct {
		name string
		device.Attribute
	}{{"vendor", id.Vendor}, {"model", id.Model}, {"version", id.Version}} {
		if a.Value != "" {
			p.line("%s %s (%s, by %s)", cell(a.name, 9), a.Value, a.Confidence, a.Signature)
		}
	}
	if id.Contradiction != "" {
		p.words("but       ", id.Contradiction)
	}
	if len(d.Tags) > 0 {
		p.words("tags      ", strings.Join(d.Tags, ", "))
	}
	if len(id.Evidence) > 0 {
		p.line("")
		p.line("%6s  %-22s %-24s %s", "weight", "role", "fact", "signature")
	}
	for _, e := range id.Evidence {
		hint := ""
		if e.Hint {
			hint = " (hint)"
		}
		p.line("%+6.1f  %s %s %s%s", e.Weight, cell(string(e.Role), 22), cell(e.Kind, 24), e.Signature, hint)
	}
	talks(&p, d)
	return p.String()
}

// used is what the device is doing, since when, and how that is known.
func used(u device.Utilisation) string {
	if u.By == device.NoProof {
		return "not known"
	}
	by := ""
	switch u.By {
	case device.ByReport:
		by = "the device says so"
	case device.ByMessages:
		by = "by the messages it sends"
	case device.ByRate:
		by = "by how much it sends"
	case device.ByPresence:
		by = "by its being there or silent"
	}
	return fmt.Sprintf("%s since %s (%s, %s)", u.Use, moment(u.Since), u.By, by)
}

// talks lists the conversations with most bytes.
func talks(p *page, d *device.Device) {
	if len(d.Conversations) == 0 {
		return
	}
	p.line("")
	p.line("%-22s %-12s %-8s %10s %10s  %s", "peer", "service", "opened", "bytes out", "bytes in", "last")
	for i, c := range d.Conversations {
		if i == maxTalks {
			p.line("... and %d more", len(d.Conversations)-maxTalks)
			return
		}
		opened := c.Opener.String()
		if !c.Answered {
			opened = "attempt"
		}
		peer := c.PeerMAC.String()
		if c.Peer.IsValid() {
			peer = c.Peer.String()
		}
		p.line("%s %s %s %10d %10d  %s", cell(peer, 22), cell(c.Service.String(), 12), cell(opened, 8), c.BytesFrom, c.BytesTo, c.Last.UTC().Format("15:04:05"))
	}
}
