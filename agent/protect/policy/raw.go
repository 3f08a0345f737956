package policy

// raw is the policy as people write it.
type raw struct {
	Version int                `toml:"version"`
	Peers   map[string]rawPeer `toml:"peers"`
	Segment []rawSegment       `toml:"segment"`
	Default rawDefault         `toml:"default"`
}

type rawPeer struct {
	Addresses []string `toml:"addresses"`
	Standby   []string `toml:"standby"`
	Clinical  bool     `toml:"clinical"`
	Device    string   `toml:"device"`
}

type rawSegment struct {
	Name    string     `toml:"name"`
	Roles   []string   `toml:"roles"`
	Tags    []string   `toml:"tags"`
	Devices []string   `toml:"devices"`
	Mode    string     `toml:"mode"`
	Allow   []rawAllow `toml:"allow"`
}

type rawAllow struct {
	To       string   `toml:"to"`
	From     string   `toml:"from"`
	Services []string `toml:"services"`
}

type rawDefault struct {
	Mode string `toml:"mode"`
}
