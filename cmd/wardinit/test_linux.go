package main

import (
	"os"
	"strings"
	"time"
)

// testFile is what whoever runs a virtual machine hands to it
// (-fw_cfg name=opt/ward/test,string=WORDS). A board has no such device.
const testFile = "/sys/firmware/qemu_fw_cfg/by_name/opt/ward/test/raw"

// testWords are what a test asks for that cannot be had from outside: none of it
// opens anything that who runs the machine could not open anyway.
type testWords struct {
	hang    bool          // "hang-init": PID 1 stops where it supervises
	noAgent bool          // "no-agent": it is never started
	open    time.Duration // "open=20s": for how long the button opens, 0 as always
}

func readTestWords() testWords {
	text, err := os.ReadFile(testFile)
	if err != nil {
		return testWords{}
	}
	return parseTestWords(string(text))
}

func parseTestWords(text string) (w testWords) {
	for _, word := range strings.Fields(text) {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "hang-init":
			w.hang = true
		case "no-agent":
			w.noAgent = true
		case "open":
			if d, err := time.ParseDuration(value); err == nil && d > 0 && d < openFor {
				w.open = d
			}
		}
	}
	return w
}
