package config

import (
	"net/netip"
	"time"
)

// Mode is how the gateway sits in the network.
type Mode string

// Modes.
const (
	Bridge Mode = "bridge" // transparent, between ward ports and uplink
	Routed Mode = "routed" // the gateway is the ward's router
	Tap    Mode = "tap"    // mirror port: observes only
)

// Config is the checked configuration of one gateway.
type Config struct {
	Gateway string // id of the gateway: topic level, MQTT client id, certificate CN
	Lab     bool   // a virtual ward: the only place where enforce is accepted
	Mode    Mode
	Site    Site
	Ports   Ports
	Mgmt    Mgmt
	Uplink  Uplink
	Console Console
	Manage  Manage
	Hooks   []Hook // of NAC, in the order in which they are tried
	// Desired is the text of a configuration that people sent; "" for the one
	// that the gateway came with.
	Desired string
	Came    *Config // the one that the gateway came with, where this one was sent
	Policy  string  // file of the policy, "" for none
	Rules   string  // folder that replaces the embedded rules, "" for none
	State   string  // folder of the database
	Observe Observe
	Outbox  Outbox
}

// Site is the hospital.
type Site struct {
	Name     string
	Internal []netip.Prefix // the site's networks; all else is external
	Scanners []netip.Addr   // authorised scanners
}

// Ports are the gateway's network ports by name.
type Ports struct {
	Uplink string
	Ward   []string
}

// Mgmt is how the gateway itself is on the network.
type Mgmt struct {
	VLAN    int // 0: untagged on the uplink
	Address string
	Gateway string
	DNS     []string
	NTP     []string
	Proxy   string
}

// Uplink is the MQTT broker.
type Uplink struct {
	URL           string // mqtt:// or mqtts://, "" for none
	CA, Cert, Key string // PEM files, of mqtts
}

// Console is the serial console.
type Console struct {
	Device     string // "" for none
	Baud       int
	BreakGlass string // "open", "challenge", "off"
}

// Manage is whom the gateway obeys over MQTT.
type Manage struct {
	// Root is the file of the first root of trust, as it came with provisioning,
	// "" for none: then nothing that comes from the broker is obeyed. Later
	// roots are signed by the one before.
	Root   string
	Groups []string // of gateways, sorted: commands and desired state reach it by these as well
}

// Hook asks the network outside the gateway for a quarantine. What its kind does
// not take is empty.
type Hook struct {
	Name  string
	Kind  string // "exec", "webhook", "radius-disconnect"
	Reach string // whom it touches: "device", "port", "ward"
	Limit time.Duration

	Program       []string // exec: the program by its absolute path, and its arguments
	URL, CA       string   // webhook
	Secret        string   // webhook, radius-disconnect: file
	Server        string   // radius-disconnect: host:port
	NASIdentifier string   // radius-disconnect
	NASAddress    netip.Addr
}

// Observe bounds what observing may use. Flows and Streams are for all ward
// ports together, so that a box with eight of them needs no more memory than
// one with a single port; PerPort deals them out.
type Observe struct {
	RingBytes   int  // kernel ring of one port
	Recvmmsg    bool // do not use the ring
	Flows       int  // most flows, about 350 bytes each
	Streams     int  // most TCP directions assembled at once, 2 KiB each on average
	StreamBytes int  // most bytes of one direction
}

// What a port gets at least, however many there are.
const (
	MinFlows   = 1024
	MinStreams = 64
)

// PerPort is the share of one of so many ward ports.
func (o Observe) PerPort(ports int) Observe {
	o.Flows, o.Streams = max(MinFlows, o.Flows/ports), max(MinStreams, o.Streams/ports)
	return o
}

// Outbox bounds the queue on disk.
type Outbox struct {
	CapBytes int64
}

// FlushEvery is the longest that an observer keeps back what it saw.
const FlushEvery = time.Second
