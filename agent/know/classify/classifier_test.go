package classify

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/rules"
)

func mac(t testing.TB, s string) fact.MAC {
	t.Helper()
	m, err := fact.ParseMAC(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// made builds a device from "kind", "value" pairs, sorted as the inventory does.
func made(t testing.TB, addr string, kv ...string) device.Device {
	t.Helper()
	d := device.Device{MAC: mac(t, addr)}
	for i := 0; i < len(kv); i += 2 {
		v, ok := fact.New(fact.Kind(kv[i]), kv[i+1])
		if !ok {
			t.Fatalf("fact %s %q cannot exist", kv[i], kv[i+1])
		}
		d.Facts = append(d.Facts, device.Known{Kind: fact.Kind(kv[i]), Value: v.String(), Personal: v.Personal()})
	}
	slices.SortFunc(d.Facts, func(a, b device.Known) int { return cmpKnown(a, b) })
	return d
}

func cmpKnown(a, b device.Known) int {
	if a.Kind != b.Kind {
		return slices.Compare([]byte(a.Kind), []byte(b.Kind))
	}
	return slices.Compare([]byte(a.Value), []byte(b.Value))
}

// Devices as they are met on a ward: what they say, and who they are.
func TestWardDevices(t *testing.T) {
	const (
		us, usMulti, ct, mwl, mpps = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.31", "1.2.840.10008.3.1.2.3.3"
		pcd                        = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
	)
	tests := []struct {
		name string
		d    device.Device
		want device.Identity // role, confidence, vendor and model are compared
	}{
		{"infusion pump that names its model", made(t, "00:12:21:0a:0b:0c",
			"hl7.msh3_sending_app", "GATE^0012210A0BFFFE0C^EUI-64", "hl7.msh9_type", "ORU^R01^ORU_R01", "hl7.msh21_profile", pcd,
			"hl7.obx3_device", "69985", "hl7.obx3_device", "69986", "hl7.obx3_device", "70067",
			"hl7.obx18_equipment", "Infusomat Space^^001221FFFE0A0B0C^EUI-64", "hl7.prt20_serial", "104233"),
			device.Identity{Role: "infusion-pump-lvp", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "B. Braun"}, Model: device.Attribute{Value: "Infusomat Space"}}},
		{"pump of unknown kind is not confirmed", made(t, "00:12:21:0a:0b:0c",
			"hl7.msh9_type", "ORU^R01^ORU_R01", "hl7.msh21_profile", pcd, "hl7.obx3_device", "69985", "hl7.obx3_device", "70067"),
			device.Identity{Role: "infusion-pump-lvp", Confidence: device.Likely, Vendor: device.Attribute{Value: "B. Braun"}}},
		{"syringe pump", made(t, "00:1a:01:0a:0b:0c",
			"hl7.obx3_device", "69985", "hl7.obx18_equipment", "2000101^Medfusion 4000^001A01FFFE0A0B0C^EUI-64"),
			device.Identity{Role: "infusion-pump-syringe", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "Smiths Medical"}, Model: device.Attribute{Value: "Medfusion 4000"}}},
		{"pump in a UDI alone", made(t, "00:03:b1:0a:0b:0c", "hl7.msh9_type", "ORU^R01", "hl7.prt16_udi", "Hospira Plum A+"),
			device.Identity{Role: "infusion-pump-lvp", Confidence: device.Likely, Vendor: device.Attribute{Value: "ICU Medical"}, Model: device.Attribute{Value: "Plum A+"}}},
		{"fetal monitor, whose protocol is that of patient monitors", made(t, "00:09:fb:0a:0b:0c",
			"intellivue.maker", "Philips", "intellivue.model", "M2703A"),
			device.Identity{Role: "fetal-monitor", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "Philips"}, Model: device.Attribute{Value: "Avalon FM30"}}},
		{"fetal monitor that is polled", made(t, "00:09:fb:0a:0b:0c",
			"intellivue.maker", "Philips", "intellivue.model", "M2702A", "intellivue.sends", "values"),
			device.Identity{Role: "fetal-monitor", Confidence: device.Likely, Vendor: device.Attribute{Value: "Philips"}, Model: device.Attribute{Value: "Avalon FM20"}}},
		{"patient monitor by its connect indication", made(t, "00:09:fb:0a:0b:0c",
			"intellivue.maker", "Philips", "intellivue.model", "866064", "intellivue.serial", "DE12345678", "intellivue.software", "L.01.18", "intellivue.sys_type", "114d"),
			device.Identity{Role: "patient-monitor", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "Philips"}, Model: device.Attribute{Value: "IntelliVue MX500"}}},
		{"ultrasound on Windows", made(t, "44:4b:5d:0a:0b:0c",
			"dhcp.vendor_class", "MSFT 5.0", "dicom.scu_proposes", us, "dicom.scu_proposes", usMulti, "dicom.scu_proposes", mwl, "dicom.impl_class_uid", "1.2.840.113619.6.5"),
			device.Identity{Role: "ultrasound", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "GE HealthCare"}}},
		{"scanner that could send more than it makes", made(t, "00:08:fb:0a:0b:0c", "dicom.scu_proposes", us, "dicom.scu_proposes", ct, "dicom.scu_proposes", mwl, "dicom.stores", us),
			device.Identity{Role: "ultrasound", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "SonoSite"}}},
		{"sender of ultrasound images only", made(t, "00:08:fb:0a:0b:0c", "dicom.scu_proposes", us),
			device.Identity{Role: "ultrasound", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "SonoSite"}}},
		{"CT", made(t, "00:09:fb:0a:0b:0c", "dhcp.vendor_class", "Philips Ingenuity Core 128", "dicom.scu_proposes", ct),
			device.Identity{Role: "ct", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "Philips"}, Model: device.Attribute{Value: "Ingenuity Core 128"}}},
		{"printer", made(t, "3c:d9:2b:0a:0b:0c", "mdns.ptr", "_ipp._tcp.local", "mdns.ptr", "_printer._tcp.local", "mdns.model", "HP LaserJet M507",
			"http.server", "HP HTTP Server; HP LaserJet M507 - 1PV87A; Serial Number: VNBAB12345; Built:Mon", "service.serves", "tcp/631"),
			device.Identity{Role: "printer", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "HP"}, Model: device.Attribute{Value: "LaserJet M507"}}},
		{"Windows PC that browses", made(t, "f8:b1:56:0a:0b:0c", "dhcp.vendor_class", "MSFT 5.0", "service.group", "udp/5355 224.0.0.252",
			"http.user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"),
			device.Identity{Role: "workstation-pc", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "Dell"}}},
		{"gateway for two pumps", made(t, "00:0b:ab:0a:0b:0c", "hl7.msh21_profile", pcd, "hl7.obx3_device", "69985",
			"hl7.obx18_equipment", "Infusomat Space^^001221FFFE000001^EUI-64", "hl7.obx18_equipment", "Perfusor Space^^001221FFFE000002^EUI-64"),
			device.Identity{Role: "device-integration-gateway", Confidence: device.Confirmed}},
		{"archive", made(t, "00:50:56:0a:0b:0c", "dicom.scp_accepts", us, "dicom.scp_accepts", usMulti, "dicom.scp_accepts", ct,
			"dicom.scp_accepts", "1.2.840.10008.5.1.4.1.1.4", "dicom.scp_accepts", "1.2.840.10008.5.1.4.1.1.1", "service.serves", "tcp/104"),
			device.Identity{Role: "pacs-vna", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "VMware"}}},
		{"archive that answers worklist queries", made(t, "00:50:56:0a:0b:0c", "dicom.scp_accepts", us, "dicom.scp_accepts", mwl, "service.serves", "tcp/104"),
			device.Identity{Role: "pacs-vna", Confidence: device.Likely, Vendor: device.Attribute{Value: "VMware"}}},
		{"intruder that asks a monitor for data", made(t, "f8:b1:56:0a:0b:0c", "dhcp.vendor_class", "MSFT 5.0", "dhcp.hostname", "DESKTOP-QALBEDT", "intellivue.client", "yes"),
			device.Identity{Role: "workstation-pc", Confidence: device.Likely, Vendor: device.Attribute{Value: "Dell"}}},
		{"PET-CT is not a CT", made(t, "88:4b:39:0a:0b:0c", "dicom.scu_proposes", ct, "dicom.scu_proposes", "1.2.840.10008.5.1.4.1.1.128", "dicom.scu_proposes", mpps),
			device.Identity{Role: "nuclear-pet", Confidence: device.Confirmed, Vendor: device.Attribute{Value: "Siemens Healthineers"}}},
		{"module maker is no vendor", made(t, "00:40:9d:0a:0b:0c", "dhcp.vendor_class", "udhcp 1.22.1"),
			device.Identity{Role: "iot-other", Confidence: device.Candidate}},
		{"nothing known", made(t, "fc:ff:ff:0a:0b:0c"), device.Identity{Role: "unknown", Confidence: device.Candidate}},
	}
	c := embedded(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := c.Classify(tt.d, time.Hour)
			got := device.Identity{Role: id.Role, Confidence: id.Confidence, Vendor: device.Attribute{Value: id.Vendor.Value}, Model: device.Attribute{Value: id.Model.Value}}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("identity (-want +got):\n%s\nscore %v, margin %v over %s\n%s", diff, id.Score, id.Margin, id.RunnerUp, show(id))
			}
			if id.Contradiction != "" {
				t.Errorf("contradiction %q", id.Contradiction)
			}
			if class, _ := c.opt.Rules.Roles.Class(id.Role); id.Class != class {
				t.Errorf("class %s, want %s", id.Class, class)
			}
		})
	}
}

func TestLocalAddressGivesNoVendor(t *testing.T) {
	c := embedded(t)
	d := made(t, "02:12:21:00:00:01")
	d.Facts = append(d.Facts, device.Known{Kind: fact.OUIVendor, Value: "B.Braun Melsungen AG"})
	if id := c.Classify(d, time.Hour); id.Vendor.Value != "" || id.Role != device.RoleUnknown {
		t.Errorf("role %s, vendor %q from a locally administered address", id.Role, id.Vendor.Value)
	}
}

func TestContradictions(t *testing.T) {
	c := embedded(t)
	tests := []struct {
		name string
		d    device.Device
		role device.Role
		conf device.Confidence
		want string
	}{
		{"other vendor's MAC", made(t, "00:a0:9a:00:00:01", "intellivue.sys_type", "114d"),
			"patient-monitor", device.Confirmed, "says Philips, but the MAC is Nihon Kohden's: gateway or spoof?"},
		{"pump protocol on a PC", made(t, "f8:b1:56:00:00:01", "hl7.obx3_device", "69985", "hl7.obx18_equipment", "Infusomat Space"),
			"infusion-pump-lvp", device.Confirmed, "acts as infusion-pump-lvp, but the MAC is a computer's (Dell): gateway or spoof?"},
		{"pump code alone on a PC", made(t, "f8:b1:56:00:00:01", "hl7.obx3_device", "69985"),
			"infusion-pump-lvp", device.Candidate, "acts as infusion-pump-lvp, but the MAC is a computer's (Dell): gateway or spoof?"},
		{"archive on a PC is none", made(t, "f8:b1:56:00:00:01", "dicom.scp_accepts", "1.2.840.10008.5.1.4.1.1.2"), "pacs-vna", device.Likely, ""},
		{"houses of one name", made(t, "88:4b:39:00:00:01", "lldp.sysdescr", "Siemens, SIMATIC S7, CPU-1500, 6ES7 511-1AK01-0AB0, HW: 3, FW: V.2.1.0, S V-L1A"), "iot-other", device.Likely, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := c.Classify(tt.d, time.Hour)
			if id.Role != tt.role || id.Confidence != tt.conf || id.Contradiction != tt.want {
				t.Errorf("%s %s, contradiction %q; want %s %s, %q\n%s", id.Confidence, id.Role, id.Contradiction, tt.conf, tt.role, tt.want, show(id))
			}
		})
	}
}

func TestRouterHidesTheHostsBehindIt(t *testing.T) {
	d := made(t, "fc:ff:ff:00:00:01", "http.server", "Microsoft-IIS/10.0", "dicom.scu_proposes", "1.2.840.10008.5.1.4.1.1.2")
	for _, ip := range []string{"10.0.0.1", "198.51.100.7", "203.0.113.9"} {
		d.IPs = append(d.IPs, netip.MustParseAddr(ip))
	}
	if id := embedded(t).Classify(d, time.Hour); id.Role != "router-firewall" || id.RunnerUp != "" {
		t.Errorf("role %s over %s", id.Role, id.RunnerUp)
	}
}

func TestPublicAddressesOfTheSite(t *testing.T) {
	c := embedded(t)
	opt := c.opt
	opt.Internal = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	d := made(t, "fc:ff:ff:00:00:01")
	d.IPs = []netip.Addr{netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("198.51.100.8")}
	if id := New(opt).Classify(d, time.Hour); id.Role != device.RoleUnknown {
		t.Errorf("role %s from two addresses of the site", id.Role)
	}
	if id := c.Classify(d, time.Hour); id.Role != "router-firewall" {
		t.Errorf("role %s from two foreign addresses", id.Role)
	}
}

func TestPinWins(t *testing.T) {
	d := made(t, "00:09:fb:00:00:01", "intellivue.sys_type", "114d")
	d.Pin = &device.Pin{Role: "telemetry", By: "ce", Reason: "worn"}
	id := embedded(t).Classify(d, time.Hour)
	if id.Role != "telemetry" || id.Confidence != device.Confirmed || !id.Pinned || id.Class != device.LifeSustaining ||
		id.RunnerUp != "patient-monitor" || id.Contradiction != "evidence speaks for patient-monitor" {
		t.Errorf("identity %+v", id)
	}
}

func TestHysteresis(t *testing.T) {
	c := embedded(t)
	agent := "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0"
	pc := made(t, "f8:b1:56:00:00:01", "http.user_agent", agent)
	was := c.Classify(pc, 0)
	if was.Role != "workstation-pc" || was.Confidence != device.Likely {
		t.Fatalf("start: %s %s", was.Confidence, was.Role)
	}
	archive := made(t, "f8:b1:56:00:00:01", "http.user_agent", agent, "dicom.scp_accepts", "1.2.840.10008.5.1.4.1.1.2",
		"service.serves", "tcp/104", "dhcp.hostname", "radpacs1")
	if fresh := c.Classify(archive, time.Hour); fresh.Role != "pacs-vna" || fresh.Score <= was.Score {
		t.Fatalf("without a past: %s %.1f, was %.1f", fresh.Role, fresh.Score, was.Score)
	}
	archive.Identity = was
	held := c.Classify(archive, DefaultDwell-time.Second)
	if held.Role != "workstation-pc" || held.Confidence != device.Likely || held.RunnerUp != "pacs-vna" ||
		held.Contradiction != "evidence now speaks for pacs-vna" || held.Margin >= 0 {
		t.Errorf("before the dwell time: %+v", held)
	}
	if id := c.Classify(archive, DefaultDwell); id.Role != "pacs-vna" {
		t.Errorf("after the dwell time: %s", id.Role)
	}
	// No more evidence than the former role stood on: it stays for good.
	weak := made(t, "f8:b1:56:00:00:01", "http.user_agent", agent, "dicom.scp_accepts", "1.2.840.10008.5.1.4.1.1.2", "service.serves", "tcp/104")
	weak.Identity = was
	if id := c.Classify(weak, 1000*time.Hour); id.Role != "workstation-pc" {
		t.Errorf("with %.1f against %.1f: %s", id.Score, was.Score, id.Role)
	}
	// The evidence of the former role is gone: nothing holds it.
	gone := made(t, "f8:b1:56:00:00:01", "dicom.scp_accepts", "1.2.840.10008.5.1.4.1.1.2")
	gone.Facts = append(gone.Facts, device.Known{Kind: fact.Serves, Value: "tcp/104"})
	gone.MAC = unowned()
	gone.Identity = was
	if id := c.Classify(gone, 0); id.Role != "pacs-vna" {
		t.Errorf("with its evidence gone: %s", id.Role)
	}
}

func TestClassOfAConfirmedDeviceDoesNotFall(t *testing.T) {
	c := embedded(t)
	d := made(t, "fc:ff:ff:00:00:01", "mdns.model", "HP LaserJet M507", "mdns.ptr", "_ipp._tcp.local", "service.serves", "tcp/631")
	d.Identity = device.Identity{Role: "patient-monitor", Class: device.LifeSustaining, Confidence: device.Confirmed, Score: 6}
	id := c.Classify(d, time.Hour)
	if id.Role != "printer" || id.Class != device.LifeSustaining {
		t.Errorf("role %s, class %s", id.Role, id.Class)
	}
}

// Same facts in any order, same identity to the last bit.
func TestDeterministic(t *testing.T) {
	c := embedded(t)
	d := device.Device{MAC: mac(t, "00:09:fb:00:00:01")}
	for _, s := range c.opt.Rules.Signatures {
		for _, f := range s.Examples[0].Facts {
			d.Facts = append(d.Facts, device.Known{Kind: f.Kind, Value: f.Value})
		}
	}
	slices.SortFunc(d.Facts, cmpKnown)
	want := c.Classify(d, time.Hour)
	for range 50 {
		got := c.Classify(d, time.Hour)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("second answer (-first +second):\n%s", diff)
		}
	}
	rand.Shuffle(len(d.Facts), func(i, j int) { d.Facts[i], d.Facts[j] = d.Facts[j], d.Facts[i] })
	if got := c.Classify(d, time.Hour); got.Role != want.Role || got.Score != want.Score || got.Margin != want.Margin {
		t.Errorf("shuffled: %s %v %v, want %s %v %v", got.Role, got.Score, got.Margin, want.Role, want.Score, want.Margin)
	}
}

func TestExplain(t *testing.T) {
	c := embedded(t)
	d := made(t, "00:09:fb:00:00:01", "intellivue.sys_type", "114d", "intellivue.model", "866064", "dhcp.vendor_class", "Philips IntelliVue")
	d.Identity = c.Classify(d, time.Hour)
	sum := 0.0
	var got []string
	for _, r := range c.Explain(d) {
		if r.Source == "" || r.Role != "patient-monitor" {
			t.Errorf("reason %+v", r)
		}
		if r.Counted {
			sum += r.Weight
		}
		got = append(got, r.Signature)
	}
	want := []string{"intellivue.multi-parameter", "intellivue.mx500", "intellivue.product-number", "dhcp.intellivue", "oui.monitoring"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("signatures (-want +got):\n%s", diff)
	}
	if sum != d.Identity.Score {
		t.Errorf("counted reasons add up to %v, the score is %v", sum, d.Identity.Score)
	}
}

// The evidence of an identity is what its score is made of, and says what is a
// hint.
func TestEvidenceAddsUp(t *testing.T) {
	c := embedded(t)
	id := c.Classify(made(t, "00:09:fb:00:00:01", "intellivue.sys_type", "114d", "intellivue.model", "866064", "dhcp.vendor_class", "Philips IntelliVue"), time.Hour)
	sum := 0.0
	var got []string
	for _, e := range id.Evidence {
		if e.Role == "patient-monitor" {
			sum += e.Weight
			got = append(got, fmt.Sprint(e.Signature, " ", e.Hint))
		}
	}
	want := []string{"intellivue.multi-parameter false", "intellivue.mx500 false", "dhcp.intellivue true", "oui.monitoring false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("signatures (-want +got):\n%s", diff)
	}
	if sum != id.Score {
		t.Errorf("evidence adds up to %v, the score is %v", sum, id.Score)
	}
}

// Hints alone, however many, name a candidate; beside what is known they count.
func TestHints(t *testing.T) {
	const pump = "Plum A+^^0003B1FFFE0A0B0C^EUI-64"
	tests := []struct {
		name string
		d    device.Device
		want device.Confidence
		off  float64 // what does not count
	}{
		{"one", made(t, "fc:ff:ff:00:00:01", "hl7.obx18_equipment", pump), device.Candidate, 0},
		{"two of one role", made(t, "fc:ff:ff:00:00:01", "dicom.impl_class_uid", "1.2.840.113704.7", "dhcp.vendor_class", "Philips Brilliance iCT"), device.Candidate, 1},
		{"one and what is known", made(t, "00:03:b1:00:00:01", "hl7.obx18_equipment", pump), device.Likely, 0},
		{"one and a type", made(t, "00:03:b1:00:00:01", "hl7.obx18_equipment", pump, "hl7.obx3_device", "69985"), device.Confirmed, 0},
	}
	c := embedded(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := c.Classify(tt.d, time.Hour)
			off := 0.0
			for _, e := range id.Evidence {
				if e.Signature == "hints" {
					off -= e.Weight
				}
			}
			if id.Confidence != tt.want || off != tt.off {
				t.Errorf("%s %s at %v, %v off; want %s, %v off\n%s", id.Role, id.Confidence, id.Score, off, tt.want, tt.off, show(id))
			}
		})
	}
}

// No hint of the rules, nor all of them together, makes more than a candidate.
func TestAllHintsTogether(t *testing.T) {
	c := embedded(t)
	all := &tally{}
	for _, s := range c.opt.Rules.Signatures {
		if s.Basis == rules.Hint {
			all.hits = append(all.hits, hit{sig: s})
		}
	}
	for i := range all.hits {
		all.count(c.opt.Rules, &all.hits[i])
	}
	for i := range all.roles {
		all.roles[i].sum()
		if id := c.decide(&tally{roles: all.roles[i : i+1]}); id.Confidence != device.Candidate {
			t.Errorf("%s is %s by hints, score %v", id.Role, id.Confidence, id.Score)
		}
	}
	if len(all.roles) == 0 {
		t.Error("no hints")
	}
}

// What an identity says of values is vendor, model, version, serial and role;
// a host name or another value of a fact never rides along.
func TestEvidenceHoldsNoValues(t *testing.T) {
	const canary = "canary7391"
	d := made(t, "f8:b1:56:00:00:01", "dhcp.hostname", "pacs-"+canary, "dhcp.hostname", "MicroMaxx-"+canary,
		"tls.sni", canary+".teamviewer.com", "http.server", "nginx/"+canary, "hl7.msh4_sending_facility", "MINDRAY_D-SERIES "+canary)
	c := embedded(t)
	d.Identity = c.Classify(d, time.Hour)
	if len(d.Identity.Evidence) == 0 {
		t.Fatal("no evidence")
	}
	if s := fmt.Sprintf("%+v %+v", d.Identity, c.Explain(d)); strings.Contains(s, canary) {
		t.Errorf("a value rides along: %s", s)
	}
}

func FuzzClassify(f *testing.F) {
	c := embedded(f)
	kinds := []fact.Kind{}
	for _, s := range c.opt.Rules.Signatures {
		for _, k := range s.Kinds {
			if !rules.Derived(k) && !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		for _, ex := range s.Examples {
			for _, x := range ex.Facts {
				f.Add(string(x.Kind), x.Value, "hl7.obx18_equipment", "x^^001221FFFE000001^EUI-64", uint64(0x001221000001))
			}
		}
	}
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string, m uint64) {
		d := device.Device{MAC: fact.MAC{byte(m >> 40), byte(m >> 32), byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}}
		for _, kv := range [][2]string{{k1, v1}, {k2, v2}} {
			v, ok := fact.New(fact.Kind(kv[0]), kv[1])
			if ok {
				d.Facts = append(d.Facts, device.Known{Kind: fact.Kind(kv[0]), Value: v.String(), Personal: v.Personal()})
			}
		}
		id := c.Classify(d, 0)
		if _, ok := c.opt.Rules.Roles.Get(id.Role); !ok || id.Class == 0 || id.Confidence == 0 {
			t.Errorf("identity %+v", id)
		}
		if id.Confidence == device.Confirmed && (id.Score < confirmedScore || id.Margin < confirmedMargin) {
			t.Errorf("confirmed with %v, margin %v", id.Score, id.Margin)
		}
		d.Identity = id
		c.Explain(d)
	})
}

func BenchmarkClassify(b *testing.B) {
	c := embedded(b)
	d := made(b, "44:4b:5d:0a:0b:0c", "dhcp.vendor_class", "MSFT 5.0", "dhcp.hostname", "us-room-3", "dicom.scu_proposes", "1.2.840.10008.5.1.4.1.1.6.1",
		"dicom.scu_proposes", "1.2.840.10008.5.1.4.31", "tls.sni", "v10.events.data.microsoft.com", "service.uses", "tcp/104", "service.uses", "tcp/443",
		"service.group", "udp/5355 224.0.0.252", "http.user_agent", "Microsoft-CryptoAPI/10.0", "mdns.name", "host.local")
	for len(d.Facts) < device.MaxFacts {
		d.Facts = append(d.Facts, device.Known{Kind: fact.TLSSNI, Value: "some.other.name.example"})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Classify(d, time.Hour)
	}
}
