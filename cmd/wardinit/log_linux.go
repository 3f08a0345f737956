package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// logFile has the agent's log. It lies in memory: it is for whoever stands at
// the console, all that matters goes by MQTT.
const logFile = root + "/run/agent.log"

// logLimit bounds the file, in bytes; as much again lies in its predecessor.
const logLimit = 512 << 10

// agentLog is the log of all runs of the agent, the newest part of it.
type agentLog struct {
	f       *os.File // nil: not open
	written int64
}

// Write never fails: an agent must not end because its log cannot be kept.
func (l *agentLog) Write(b []byte) (int, error) {
	if l.written+int64(len(b)) > logLimit {
		l.f.Close()
		l.f = nil
		_ = os.Rename(logFile, logFile+".1")
	}
	if l.f == nil {
		f, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return len(b), nil
		}
		l.f, l.written = f, 0
	}
	n, _ := l.f.Write(b)
	l.written += int64(n)
	return len(b), nil
}
