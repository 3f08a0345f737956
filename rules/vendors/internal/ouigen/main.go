package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
)

func main() {
	dir := flag.String("dir", "/usr/share/ieee-data", "folder of the CSV files and .lastupdate")
	out := flag.String("out", "oui.bin.gz", "file to write")
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
	if b, err = pack(b); err != nil {
		return fmt.Errorf("compress table: %w", err)
	}
	if err := os.WriteFile(out, b, 0o644); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// pack compresses the table; the same table gives the same bytes.
func pack(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
