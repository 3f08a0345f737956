//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "wardkeeper: the agent runs on Linux; use wardctl to replay captures here")
	os.Exit(1)
}
