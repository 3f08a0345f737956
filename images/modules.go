package images

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// ResolveModules lists the wanted modules and all that they depend on, each
// after what it needs, otherwise in the wanted order. kernel is the folder
// /lib/modules/VERSION; what modules.builtin there names is in the kernel and
// left out. All that is missing is named at once.
func ResolveModules(kernel fs.FS, wanted []string) ([]Module, error) {
	r := resolver{kernel: kernel, files: make(map[string]string), state: make(map[string]int)}
	if err := r.list(); err != nil {
		return nil, fmt.Errorf("list kernel modules: %w", err)
	}
	for _, name := range wanted {
		r.visit(canonical(name), nil)
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, fmt.Errorf("order kernel modules: %w", err)
	}
	return r.out, nil
}

type resolver struct {
	kernel  fs.FS
	files   map[string]string // by canonical name
	builtin []string
	state   map[string]int // of visiting, by canonical name
	out     []Module
	errs    []error
}

// States of visiting a module.
const (
	isOpen = 1 // its dependencies are being visited
	isDone = 2
)

// list finds what the kernel has.
func (r *resolver) list() error {
	data, err := fs.ReadFile(r.kernel, "modules.builtin")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		r.builtin = append(r.builtin, moduleOf(strings.TrimSpace(line)))
	}
	return fs.WalkDir(r.kernel, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".ko") {
			r.files[moduleOf(p)] = p
		}
		return err
	})
}

func moduleOf(file string) string { return canonical(strings.TrimSuffix(path.Base(file), ".ko")) }

// visit appends the module after its dependencies; by is who needs whom, from
// the wanted one on.
func (r *resolver) visit(name string, by []string) {
	fail := func(format string, args ...any) { r.errs = append(r.errs, fmt.Errorf(format, args...)) }
	by = append(slices.Clone(by), name)
	switch {
	case r.state[name] == isDone || slices.Contains(r.builtin, name):
		return
	case r.state[name] == isOpen:
		fail("%s need one another", strings.Join(by[slices.Index(by, name):], " → "))
		return
	}
	r.state[name] = isOpen
	defer func() { r.state[name] = isDone }()
	file, ok := r.files[name]
	if !ok {
		near := strict.Nearest(name, slices.Sorted(maps.Keys(r.files)))
		if near != "" {
			near = fmt.Sprintf(" (nearest: %q)", near)
		}
		fail("%s: no module of that name in the kernel package%s", strings.Join(by, " → "), near)
		return
	}
	data, err := fs.ReadFile(r.kernel, file)
	if err != nil {
		fail("read %s: %w", file, err)
		return
	}
	m, err := ReadModinfo(bytes.NewReader(data))
	if err != nil {
		fail("%s: %w", file, err)
		return
	}
	if m.Name != name {
		fail("%s: calls itself %q", file, m.Name)
		return
	}
	m.File = file
	for _, d := range m.Depends {
		r.visit(d, by)
	}
	r.out = append(r.out, m)
}
