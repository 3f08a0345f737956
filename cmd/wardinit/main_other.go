//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "wardinit: runs on Linux only, as PID 1 of a gateway")
	os.Exit(64)
}
