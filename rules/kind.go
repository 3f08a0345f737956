package rules

import (
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Derived kinds: what package classify concludes from all facts of a device
// before signatures are asked. No frame says them.
const (
	// Maker is the vendor, in our spelling, behind the MAC prefix.
	Maker fact.Kind = "derived.maker"
	// DICOMShape is what the device does on DICOM associations:
	// "scu modality", "scu storage", "scu router", "scu query", "scp archive",
	// "scp storage", "scp retrieve", "scp worklist", "scp print".
	DICOMShape fact.Kind = "derived.dicom_shape"
	// DICOMImages is the kind of images it makes, behind a sure or a weak
	// word: "modality us", "storage us", "mixed us"; see classify.
	DICOMImages fact.Kind = "derived.dicom_images"
	// HL7Devices is how many devices speak through one HL7 sender: "one" or
	// "many".
	HL7Devices fact.Kind = "derived.hl7_devices"
	// Addresses: "foreign" where one source address is not of the site,
	// "forwards" where the device sends for others.
	Addresses fact.Kind = "derived.addresses"
)

// derivedKinds lists them.
func derivedKinds() []fact.Kind {
	return []fact.Kind{Maker, DICOMShape, DICOMImages, HL7Devices, Addresses}
}

// KnownKind reports whether a fact of that kind can exist.
func KnownKind(k fact.Kind) bool { return k.Known() || Derived(k) }

// Derived reports whether the kind is concluded, not read.
func Derived(k fact.Kind) bool { return slices.Contains(derivedKinds(), k) }
