package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wardkeeper/wardkeeper/agent/atomicfile"
	"github.com/wardkeeper/wardkeeper/agent/config"
)

// Where a person puts the gateway's files, and where they are kept.
const (
	provided  = root + "/esp/wardkeeper"
	ownFolder = root + "/data/etc"
)

// maxProvided bounds one file of the ESP, in bytes.
const maxProvided = 1 << 20

// provision takes over what lies on the ESP: that partition is one that any
// laptop can write, so it is how a gateway gets its first configuration.
func provision() error { return takeOver(provided, ownFolder) }

// takeOver copies what lies below a folder. A file that is there already and the
// same is left alone.
func takeOver(provided, own string) error {
	var errs []error
	err := filepath.WalkDir(provided, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == provided {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() || path == filepath.Join(provided, requestName) {
			return err
		}
		rel, err := filepath.Rel(provided, path)
		if err != nil {
			return err
		}
		if err := adopt(path, filepath.Join(own, rel), rel == configName); err != nil {
			errs = append(errs, fmt.Errorf("take over %s: %w", rel, err))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// configName is the gateway's configuration among what is taken over.
const configName = "wardkeeper.toml"

// adopt copies a file unless it is there already; it makes the folder. A
// configuration that the agent could not start with stays out: without the
// agent there is no console to find the mistake by.
func adopt(from, to string, isConfig bool) error {
	text, err := changed(from, to)
	if text == nil || err != nil {
		return err
	}
	if isConfig {
		if _, err := config.Parse(configName, text); err != nil {
			return err
		}
	}
	return atomicfile.Write(to, text)
}

// changed is the content of from, nil where to has the same.
func changed(from, to string) ([]byte, error) {
	st, err := os.Lstat(from)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxProvided {
		return nil, fmt.Errorf("%s of %d bytes: want a file of at most %d", st.Mode().Type(), st.Size(), maxProvided)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, text) {
		return nil, nil
	}
	return text, nil
}
