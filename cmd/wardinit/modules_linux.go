package main

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/wardkeeper/wardkeeper/platform/linux"
)

// loadModule loads one module that needs no other; no name, nothing to do.
func loadModule(name string) error {
	if name == "" {
		return nil
	}
	return linux.LoadModule(filepath.Join(moduleDir, name+".ko"))
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
			errs = append(errs, linux.LoadModule(filepath.Join(moduleDir, name)))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(moduleDir))...)
}
