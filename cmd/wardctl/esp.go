package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem"
	"github.com/diskfs/go-diskfs/filesystem/fat32"

	"github.com/wardkeeper/wardkeeper/images"
)

// esp is the partition of a gateway's disk that any computer can write: what
// lies in its folder "wardkeeper" is taken over by the gateway at boot.
type esp interface {
	read(name string) ([]byte, error) // fs.ErrNotExist where it is not there
	write(name string, text []byte) error
	Close() error
}

// provided is the folder on the ESP.
const provided = "wardkeeper"

// folder is an ESP that is mounted, as by a laptop that a card was put into.
type folder string

func (f folder) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), provided, filepath.FromSlash(name)))
}

func (f folder) write(name string, text []byte) error {
	to := filepath.Join(string(f), provided, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

func (f folder) Close() error { return nil }

// disk is the ESP of a disk, or of the image of one.
type disk struct {
	f  *os.File
	fs filesystem.FileSystem
}

func openDisk(name string) (*disk, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	fat, err := findESP(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return &disk{f, fat}, nil
}

func findESP(f *os.File) (filesystem.FileSystem, error) {
	size, err := f.Seek(0, 2) // a device has no size of a file
	if err != nil {
		return nil, err
	}
	table, err := images.ReadGPT(f, uint64(size)/images.SectorSize)
	if err != nil {
		return nil, err
	}
	p, err := table.Partition(images.PartESP)
	if err != nil {
		return nil, err
	}
	fat, err := fat32.Read(file.New(f, false), p.Bytes(), p.Offset(), images.SectorSize)
	if err != nil {
		return nil, fmt.Errorf("read partition %s: %w", images.PartESP, err)
	}
	return fat, nil
}

func (d *disk) read(name string) ([]byte, error) {
	name = path.Join(provided, name)
	// The library's errors do not tell what is missing from what cannot be read.
	dir := "."
	for part := range strings.SplitSeq(name, "/") {
		entries, err := fs.ReadDir(d.fs, dir)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.EqualFold(e.Name(), part) }) {
			return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
		}
		dir = path.Join(dir, part)
	}
	return fs.ReadFile(d.fs, name)
}

func (d *disk) write(name string, text []byte) error {
	to := path.Join(provided, name)
	if err := d.fs.Mkdir(path.Dir(to)); err != nil {
		return fmt.Errorf("make folder %s: %w", path.Dir(to), err)
	}
	f, err := d.fs.OpenFile(to, os.O_CREATE|os.O_RDWR|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("make %s: %w", to, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}

// Close returns once all is on the medium.
func (d *disk) Close() error { return errors.Join(d.f.Sync(), d.f.Close()) }
