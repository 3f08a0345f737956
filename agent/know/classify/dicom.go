package classify

import (
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/rules"
)

// Service classes of DICOM PS3.4, as their UID below 1.2.840.10008.
const (
	dicomRoot    = "1.2.840.10008."
	storage      = "5.1.4.1.1."
	worklist     = "5.1.4.31"
	performed    = "3.1.2.3.3"  // modality performed procedure step
	queryPatient = "5.1.4.1.2." // query and retrieve, all levels
	printGray    = "5.1.1.9"
	printColour  = "5.1.1.18"
)

// From how many storage classes on a proposer moves images of others, and an
// acceptor keeps them for others.
const (
	routerClasses  = 15
	archiveClasses = 5
)

// services is what one side of a device's associations does.
type services struct {
	classes                           int // of storage
	images                            []string
	worklist, performed, query, print bool
}

// dicom puts the service classes of one device together.
func dicom(d *device.Device) []observation {
	scu, scp := side(d, fact.DICOMProposes), side(d, fact.DICOMAccepts)
	if sent := side(d, fact.DICOMStores); len(scu.images) > 1 && len(sent.images) == 1 {
		scu.images = sent.images // it can do more, but this is what it makes
	}
	out := scu.proposer()
	shape := func(s string) { out = append(out, observation{rules.DICOMShape, s}) }
	switch {
	case scp.classes > 0 && scu.query && !scp.query:
		// It has sent to it what it asked for, and answers no question itself:
		// an archive does, however many kinds of image the other takes.
		shape("scp retrieve")
	case scp.classes >= archiveClasses:
		shape("scp archive")
	case scp.classes > 0:
		shape("scp storage")
	}
	if scp.worklist && scp.classes == 0 { // an archive may answer for the worklist too
		shape("scp worklist")
	}
	if scp.print {
		shape("scp print")
	}
	return out
}

// proposer judges the calling side.
func (s services) proposer() []observation {
	out := []observation{}
	sure := "storage"
	switch {
	case s.classes >= routerClasses:
		return append(out, observation{rules.DICOMShape, "scu router"})
	case s.worklist || s.performed:
		out, sure = append(out, observation{rules.DICOMShape, "scu modality"}), "modality"
	case s.query:
		// With C-GET it proposes the storage classes that it wants to receive.
		return append(out, observation{rules.DICOMShape, "scu query"})
	case s.classes > 0:
		out = append(out, observation{rules.DICOMShape, "scu storage"})
	}
	if len(s.images) > 1 {
		sure = "mixed"
	}
	for _, i := range s.images {
		out = append(out, observation{rules.DICOMImages, sure + " " + i})
	}
	return out
}

// side collects the classes that the device proposed, or accepted.
func side(d *device.Device, kind fact.Kind) services {
	var s services
	for i := range d.Facts {
		uid, ok := strings.CutPrefix(d.Facts[i].Value, dicomRoot)
		if d.Facts[i].Kind != kind || !ok {
			continue
		}
		switch class, isStorage := strings.CutPrefix(uid, storage); {
		case isStorage:
			s.classes++
			if img := imageOf(class); img != "" && !slices.Contains(s.images, img) {
				s.images = append(s.images, img)
			}
		case uid == worklist:
			s.worklist = true
		case uid == performed:
			s.performed = true
		case strings.HasPrefix(uid, queryPatient):
			s.query = true
		case uid == printGray || uid == printColour:
			s.print = true
		}
	}
	s.images = merge(s.images)
	return s
}

// imageOf names the kind of image of a storage class (PS3.4 annex B.5), "" for
// captures, reports, presentation states and what no ward device makes.
func imageOf(class string) string {
	switch class {
	case "3", "3.1", "6", "6.1", "6.2":
		return "us"
	case "2", "2.1", "2.2":
		return "ct"
	case "4", "4.1", "4.2", "4.3":
		return "mr"
	case "1":
		return "cr"
	case "1.1", "1.1.1", "1.3", "1.3.1":
		return "dx"
	case "1.2", "1.2.1", "13.1.3":
		return "mg"
	case "12.1", "12.1.1", "12.2", "12.2.1", "13.1.1":
		return "xa"
	case "20", "128", "130":
		return "nm"
	case "9.1.1", "9.1.2", "9.1.3", "9.2.1":
		return "ecg"
	case "77.1.1", "77.1.1.1":
		return "es"
	case "77.1.2", "77.1.3", "77.1.6":
		return "sm"
	}
	if strings.HasPrefix(class, "481.") {
		return "rt"
	}
	return ""
}

// merge drops the kinds of image that one machine makes beside its own: a
// PET-CT sends CT, a radiography system sends CR.
func merge(images []string) []string {
	slices.Sort(images)
	has := func(i string) bool { return slices.Contains(images, i) }
	nuclear, direct := has("nm"), has("dx")
	return slices.DeleteFunc(images, func(i string) bool {
		return nuclear && (i == "ct" || i == "mr") || direct && i == "cr"
	})
}
