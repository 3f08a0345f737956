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

// filters are what the gateway subscribes to: what is meant for itself, for its
// groups and for all.
func filters(site, gw string, groups []string) []string {
	out := []string{base(site, gw) + "/down/#"}
	for _, g := range groups {
		out = append(out, base(site, "grp")+"/"+level(g)+"/down/#")
	}
	return append(out, base(site, "all")+"/down/#")
}

// maxID is the most bytes of the last level of a topic that is heard.
const maxID = 64

// down is the end of a topic below one of the filters: "cmd/<id>" or
// "desired/<kind>". Nothing else is heard, whatever the broker sends.
func down(filters []string, topic string) (string, bool) {
	for _, f := range filters {
		rest, ok := strings.CutPrefix(topic, strings.TrimSuffix(f, "#"))
		if !ok {
			continue
		}
		what, name, _ := strings.Cut(rest, "/")
		if what != "cmd" && what != "desired" || name == "" || len(name) > maxID {
			return "", false
		}
		for _, c := range []byte(name) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return "", false
			}
		}
		return rest, true
	}
	return "", false
}
