package main

import (
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/rules/vendors"
)

// Owners which are no vendor: the IEEE's own entry for a block that it sells in
// parts (a lookup falls through to the parts, or to nothing), and owners who
// pay for not being named (these stop the fall).
const (
	subdivided = "IEEE Registration Authority"
	private    = "Private"
)

// registry is what the CSV files say: owner by hexadecimal prefix.
type registry struct {
	date   int // YYYYMMDD
	owners map[string]string
}

// read reads the four files. A prefix that the registry lists twice goes to
// the owner whose name sorts first.
func read(dir string) (registry, error) {
	r := registry{owners: map[string]string{}}
	var err error
	if r.date, err = date(filepath.Join(dir, ".lastupdate")); err != nil {
		return r, err
	}
	for _, name := range []string{"oui.csv", "mam.csv", "oui36.csv", "iab.csv"} {
		rows, err := readCSV(filepath.Join(dir, name))
		if err != nil {
			return r, err
		}
		for _, row := range rows {
			prefix, owner := strings.ToUpper(row[1]), ownerName(row[2])
			if owner == subdivided {
				continue
			}
			if old, dup := r.owners[prefix]; !dup || owner < old {
				r.owners[prefix] = owner
			}
		}
	}
	return r, nil
}

// ownerName is the name as it is kept.
func ownerName(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == private {
		return ""
	}
	return s
}

// date turns the package's seconds since 1970 into YYYYMMDD in UTC.
func date(file string) (int, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read registry date: %w", err)
	}
	sec, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("registry date in %s: %w", file, err)
	}
	t := time.Unix(sec, 0).UTC()
	return t.Year()*10000 + int(t.Month())*100 + t.Day(), nil
}

// readCSV returns the rows below the heading, each checked to have a prefix.
func readCSV(file string) ([][]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(rows) < 2 || len(rows[0]) < 3 || rows[0][1] != "Assignment" {
		return nil, fmt.Errorf("read %s: not a table of the IEEE registry", file)
	}
	for i, row := range rows[1:] {
		if !isPrefix(row[1]) {
			return nil, fmt.Errorf("read %s: row %d: %q is no prefix of 24, 28 or 36 bits", file, i+2, row[1])
		}
	}
	return rows[1:], nil
}

func isPrefix(s string) bool {
	_, err := hex.DecodeString(s + strings.Repeat("0", len(s)%2))
	return err == nil && slices.ContainsFunc(levels(), func(bits int) bool { return bits == 4*len(s) })
}

func levels() []int {
	var bits []int
	for _, l := range vendors.Levels() {
		bits = append(bits, l.Bits)
	}
	return bits
}
