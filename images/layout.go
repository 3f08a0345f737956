package images

import "fmt"

const (
	mib           = 1 << 20
	sectorsPerMiB = mib / SectorSize
	layoutStart   = 16 // MiB: boards keep their boot loader below
)

// Names of the partitions of a gateway's disk, in their order.
const (
	PartESP   = "esp"    // vfat: one kernel file a root slot
	PartRootA = "root-a" // squashfs, read-only
	PartRootB = "root-b" // empty until the first update
	PartData  = "data"   // ext4, grown to the disk's end at first boot
)

// layout is the disk's plan. The ids are made up once and the same on every
// gateway: an image must come out the same at each build.
var layout = []struct {
	name     string
	mib      uint64
	kind, id string
}{
	{PartESP, 96, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "57a2d5e0-0001-4e57-8a5d-6b1f0c9e7a01"},
	{PartRootA, 48, linuxData, "57a2d5e0-0002-4e57-8a5d-6b1f0c9e7a01"},
	{PartRootB, 48, linuxData, "57a2d5e0-0003-4e57-8a5d-6b1f0c9e7a01"},
	{PartData, 64, linuxData, "57a2d5e0-0004-4e57-8a5d-6b1f0c9e7a01"},
}

const (
	linuxData = "0fc63daf-8483-4772-8e79-3d69d8477de4" // "Linux filesystem data"
	diskID    = "57a2d5e0-0000-4e57-8a5d-6b1f0c9e7a01"
)

// MinDisk is the size of the smallest disk that Layout fits on, in bytes.
func MinDisk() int64 {
	total := uint64(layoutStart) + 1 // a MiB for the backup table
	for _, p := range layout {
		total += p.mib
	}
	return int64(total) * mib
}

// Layout is the partition table of a new image for a disk of so many bytes. The
// data partition is as small as it may be: PID 1 grows it, whatever disk it
// finds itself on.
func Layout(bytes int64) (GPT, error) {
	if bytes < MinDisk() || bytes%SectorSize != 0 {
		return GPT{}, fmt.Errorf("lay out a disk of %d bytes: want at least %d, in sectors of %d", bytes, MinDisk(), SectorSize)
	}
	disk, err := ParseGUID(diskID)
	if err != nil {
		return GPT{}, err
	}
	g := GPT{Disk: disk, Sectors: uint64(bytes) / SectorSize}
	next := uint64(layoutStart * sectorsPerMiB)
	for _, l := range layout {
		p := Partition{Name: l.name, First: next, Last: next + l.mib*sectorsPerMiB - 1}
		if p.Type, err = ParseGUID(l.kind); err != nil {
			return GPT{}, err
		}
		if p.ID, err = ParseGUID(l.id); err != nil {
			return GPT{}, err
		}
		g.Partitions = append(g.Partitions, p)
		next = p.Last + 1
	}
	return g, nil
}

// OfImage reports whether the table is that of an image, by the ids of the disk
// and of each partition: a disk that only has partitions of the same names is a
// stranger's.
func (g GPT) OfImage() bool {
	if g.Disk.String() != diskID || len(g.Partitions) != len(layout) {
		return false
	}
	for i, l := range layout {
		if p := g.Partitions[i]; p.Name != l.name || p.Type.String() != l.kind || p.ID.String() != l.id {
			return false
		}
	}
	return true
}

// Partition finds a partition by its name.
func (g GPT) Partition(name string) (Partition, error) {
	for _, p := range g.Partitions {
		if p.Name == name {
			return p, nil
		}
	}
	return Partition{}, fmt.Errorf("find partition %q: the table has none of that name", name)
}
