package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// loadModule loads one module that needs no other; no name, nothing to do.
func loadModule(name string) error {
	if name == "" {
		return nil
	}
	return insert(name + ".ko")
}

// loadModules loads all in the order of the list, and frees their files: they
// lie in memory. One that fails does not keep the others out.
func loadModules() error {
	f, err := os.Open(moduleList)
	if err != nil {
		return err
	}
	defer f.Close()
	var errs []error
	for s := bufio.NewScanner(f); s.Scan(); {
		if name := strings.TrimSpace(s.Text()); name != "" {
			errs = append(errs, insert(name))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(moduleDir))...)
}

func insert(file string) error {
	f, err := os.Open(filepath.Join(moduleDir, file))
	if err != nil {
		return err
	}
	defer f.Close()
	// ENODEV: this box has nothing for the module, as efivarfs without EFI.
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("load module %s: %w", file, err)
	}
	return nil
}
