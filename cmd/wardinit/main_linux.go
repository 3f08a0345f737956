package main

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform/linux"
)

func main() {
	if os.Args[0] == slotRole {
		say := newSpeaker()
		_ = say.open() // while there is a /dev; its own log is told, too
		err := enterSlot(os.Args[1:])
		say.alarm("%v", err)
		fmt.Fprintln(os.Stderr, "wardinit:", err)
		os.Exit(exitSlot)
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "wardinit: runs as PID 1 of a gateway only")
		os.Exit(64)
	}
	// Nothing of the box ends PID 1: not Ctrl-Alt-Del, which reboots otherwise,
	// and not a signal of the agent's.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF)
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	b := &box{say: newSpeaker(), firewall: linux.NewFirewall(linux.FirewallOptions{})}
	b.boot()
	b.keep()
}
