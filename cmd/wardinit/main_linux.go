package main

import (
	"fmt"
	"os"

	"github.com/wardkeeper/wardkeeper/platform/linux"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "wardinit: runs as PID 1 of a gateway only")
		os.Exit(64)
	}
	b := &box{say: newSpeaker(), firewall: linux.NewFirewall(linux.FirewallOptions{})}
	b.boot()
	go handOut(b.say)
	b.keep()
}
