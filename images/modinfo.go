package images

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Module is a kernel module as its file describes itself.
type Module struct {
	Name    string   // as the kernel knows it, with underscores
	File    string   // from the folder of the kernel's version, "" when read from a stream
	Depends []string // names, in no order that matters
}

// maxModinfo bounds what is read of a file: the largest of Debian's has 30 kB.
const maxModinfo = 1 << 20

// ReadModinfo reads the section .modinfo of a kernel module.
func ReadModinfo(r io.ReaderAt) (Module, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return Module{}, fmt.Errorf("read module: %w", err)
	}
	s := f.Section(".modinfo")
	switch {
	case s == nil || s.Type != elf.SHT_PROGBITS:
		return Module{}, errors.New("read module: no section .modinfo")
	case s.Flags&elf.SHF_COMPRESSED != 0: // small here, without bounds unpacked
		return Module{}, errors.New("read module: section .modinfo is compressed")
	case s.Size > maxModinfo:
		return Module{}, fmt.Errorf("read module: section .modinfo has %d bytes, more than %d", s.Size, maxModinfo)
	}
	data, err := s.Data()
	if err != nil {
		return Module{}, fmt.Errorf("read module: section .modinfo: %w", err)
	}
	var m Module
	for entry := range strings.SplitSeq(string(data), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		switch key {
		case "name":
			m.Name = value
		case "depends":
			for d := range strings.SplitSeq(value, ",") {
				if d != "" {
					m.Depends = append(m.Depends, canonical(d))
				}
			}
		}
	}
	if !module.MatchString(m.Name) {
		return Module{}, fmt.Errorf("read module: %q is no name", m.Name)
	}
	return m, nil
}

// canonical is the one spelling of a module's name: files have hyphens where the
// kernel says underscore.
func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }
