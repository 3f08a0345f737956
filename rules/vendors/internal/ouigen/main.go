package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	dir := flag.String("dir", "/usr/share/ieee-data", "folder of the CSV files and .lastupdate")
	out := flag.String("out", "oui.bin", "file to write")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "ouigen:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	r, err := read(dir)
	if err != nil {
		return err
	}
	b, err := encode(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, b, 0o644); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
