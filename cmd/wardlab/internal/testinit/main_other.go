//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "testinit: runs on Linux only, as PID 1 of a virtual machine")
	os.Exit(64)
}
