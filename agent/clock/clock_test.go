package clock

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type host struct {
	now    time.Time
	mono   time.Duration
	synced bool
}

func (h host) Now() time.Time      { return h.now }
func (h host) Mono() time.Duration { return h.mono }
func (h host) Synced() bool        { return h.synced }
func (h host) BootID() string      { return "boot-1" }

func TestNow(t *testing.T) {
	floor := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	after := floor.Add(time.Hour)
	tests := []struct {
		name string
		host host
		want Stamp
	}{
		{"1970: the floor, worth nothing", host{now: time.Unix(5, 0), mono: time.Second}, Stamp{floor, time.Second, "boot-1", None}},
		{"1970 and said to be synchronised", host{now: time.Unix(5, 0), synced: true}, Stamp{floor, 0, "boot-1", None}},
		{"after the floor", host{now: after}, Stamp{after, 0, "boot-1", Floor}},
		{"synchronised", host{now: after, synced: true}, Stamp{after, 0, "boot-1", NTP}},
		{"another zone becomes UTC", host{now: after.In(time.FixedZone("x", 3600)), synced: true}, Stamp{after, 0, "boot-1", NTP}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, New(tt.host, floor).Now()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestQualityNames(t *testing.T) {
	for q, want := range map[Quality]string{None: "none", Floor: "floor", NTP: "ntp", RTC: "rtc", 0: "invalid"} {
		if q.String() != want {
			t.Errorf("%d is %q, want %q", q, q, want)
		}
	}
}
