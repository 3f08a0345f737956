package enforce

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// TestInterlockAtRandom: whatever one person orders, and whatever becomes of what
// is known of the pump, one after the other, with restarts, reboots and strangers
// in between, it reaches its server.
func TestInterlockAtRandom(t *testing.T) {
	sequences := 60
	if testing.Short() {
		sequences = 20
	}
	talks := func(d []device.Device) []device.Device {
		d[0].Conversations = pumpTalks()
		return d
	}
	known := func(*device.Device) {}
	looks := []struct {
		name   string
		change func(d *device.Device) // nil: nobody knows it
	}{{"known", known}, {"likely", likelyPump}, {"talked down", talkedDown}, {"pinned", pinnedDown}, {"tagged desk", tagged("desk")}, {"tagged bed", tagged("bed")},
		{"pinned and tagged", func(d *device.Device) { pinnedDown(d); d.Tags = []string{"bed"} }}, {"lost", nil}}
	policies := []func(string) string{replaced(), replaced("10.20.3.5", "10.20.3.6"), replaced(`{ to = "pump-server", services = ["tcp/443"] }`, ""),
		replaced(`roles = ["infusion-pump-lvp"]`, `devices = ["00:11:22:00:00:99"]`), replaced(`"enforce"`, `"stage"`), func(s string) string { return s + "\n[default]\nmode = \"stage\"\n" },
		replaced("10.20.3.9", "10.20.7.200"), replaced("10.20.3.9", "10.20.7.11")}
	for seed := range sequences {
		inBubble(t, func(t *testing.T, w *ward) {
			dice := rand.New(rand.NewPCG(uint64(seed), 1))
			ctx := context.Background()
			var done []string
			file := parse(t, []byte(suitePolicy))
			w.inv.set(talks(wardDevices())...)
			if dice.IntN(2) == 0 {
				w.inv.set(talks(pumpAs(likelyPump))...)
			}
			w.start(file)
			away := false
			for range 8 {
				var step string
				switch dice.IntN(8) {
				case 0, 1:
					l := looks[dice.IntN(len(looks))]
					step = "the pump is " + l.name
					if away = l.change == nil; away {
						w.inv.set(wardDevices()[1:]...)
					} else {
						w.inv.set(talks(pumpAs(l.change))...)
					}
				case 2, 3:
					i := dice.IntN(len(policies))
					if i == len(policies)-1 && away {
						continue // nobody knows that it is the pump's own address
					}
					step = fmt.Sprintf("policy %d: %v", i, w.task.SetPolicy(ctx, policies[i](suitePolicy), "mia"))
				case 4:
					seg, mode := []string{"infusion", "printers", "monitoring"}[dice.IntN(3)], []string{"observe", "stage", "enforce"}[dice.IntN(3)]
					step = fmt.Sprintf("mode %s %s: %v", seg, mode, w.task.Mode(ctx, seg, mode, "mia"))
				case 5:
					err := quarantinePump(w)
					refused(t, strings.Join(done, "; "), err, "interlock")
					step = "quarantine"
				case 6:
					w.stop()
					if step = "restart"; dice.IntN(2) == 0 {
						step = "reboot"
						w.fw.FlushRuleset()
						o := w.options(nil)
						o.Inventory, o.Events = nil, nil
						if _, err := New(o).Preload(ctx); err != nil {
							t.Error(err)
						}
					}
					w.start(file)
				case 7:
					step = "a stranger flushes"
					w.fw.FlushRuleset()
				}
				done = append(done, step)
				w.uncut("at once: " + strings.Join(done, "; "))
				w.settle()
				w.uncut("settled: " + strings.Join(done, "; "))
				if t.Failed() {
					return
				}
				time.Sleep(time.Minute)
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
