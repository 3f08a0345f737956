package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/wardkeeper/wardkeeper/images"
)

// blockDevice is a disk that is read and written.
type blockDevice interface {
	io.ReaderAt
	images.Disk
}

// growTable has the data partition reach to the end of a disk of so many
// sectors, and returns it. What an earlier boot was cut short in, it completes:
// it writes wherever the disk does not have the whole table.
func growTable(disk blockDevice, sectors uint64) (data images.Partition, number int, err error) {
	old, err := images.ReadGPT(disk, sectors)
	if err != nil {
		return images.Partition{}, 0, err
	}
	if data, err = old.Partition(images.PartData); err != nil {
		return images.Partition{}, 0, err
	}
	number = slices.Index(old.Partitions, data) + 1
	for _, p := range old.Partitions {
		if p.First > data.First {
			return images.Partition{}, 0, fmt.Errorf("partition %s lies behind %s: it cannot grow", p.Name, images.PartData)
		}
	}
	grown, err := old.Grow(sectors)
	if err != nil {
		return images.Partition{}, 0, err
	}
	if !grown.On(disk) {
		if err := grown.WriteTo(disk); err != nil {
			return images.Partition{}, 0, err
		}
	}
	return grown.Partitions[number-1], number, nil
}
