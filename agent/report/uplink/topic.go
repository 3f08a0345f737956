package uplink

import (
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// base is where a gateway's topics begin.
func base(site, gw string) string { return "wardkeeper/v1/" + level(site) + "/" + level(gw) }

// level makes a name one topic level (MQTT 3.1.1 §4.7): the config refuses such
// names, and here none of them may become a wildcard or another level.
func level(s string) string {
	return strings.NewReplacer("/", "_", "+", "_", "#", "_", "\x00", "_").Replace(s)
}

// upTopic is the topic of a batch below base. State has one topic a kind.
func upTopic(c event.Class, kind string) string {
	if c == event.State {
		return "up/" + level(kind)
	}
	return "up/" + c.String()
}
