package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestAwaitPorts: the ward waits for a driver that is slow, and not for a port
// that never comes.
func TestAwaitPorts(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    []time.Duration // when each port comes
		fault error
		took  time.Duration
		ports int
	}{
		{"all are there", []time.Duration{0, 0, 0}, nil, 0, 3},
		{"one is slow", []time.Duration{0, 0, 1210 * time.Millisecond}, nil, 1220 * time.Millisecond, 3},
		{"one never comes", []time.Duration{0, time.Second, time.Hour}, nil, portWait, 2},
		{"more than the board has", []time.Duration{0, 0, 0, time.Second}, nil, 0, 3},
		{"nobody knows", nil, errors.New("no sysfs"), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				have, err := awaitPorts(3, func() (out []string, err error) {
					for _, at := range c.at {
						if time.Since(began) >= at {
							out = append(out, "port")
						}
					}
					return out, c.fault
				})
				if took := time.Since(began); len(have) != c.ports || took != c.took || !errors.Is(err, c.fault) {
					t.Errorf("%d ports after %s, %v; want %d after %s", len(have), took, err, c.ports, c.took)
				}
			})
		})
	}
}
