package config

// raw is the file as people write it: pointers where leaving a key out differs
// from its zero.
type raw struct {
	Gateway string     `toml:"gateway"`
	Lab     bool       `toml:"lab"`
	Mode    string     `toml:"mode"`
	Site    rawSite    `toml:"site"`
	Ports   rawPorts   `toml:"ports"`
	Mgmt    rawMgmt    `toml:"mgmt"`
	Uplink  rawUplink  `toml:"uplink"`
	Console rawConsole `toml:"console"`
	Manage  rawManage  `toml:"manage"`
	NAC     rawNAC     `toml:"nac"`
	Policy  rawPolicy  `toml:"policy"`
	Rules   rawRules   `toml:"rules"`
	State   rawState   `toml:"state"`
	Observe rawObserve `toml:"observe"`
	Outbox  rawOutbox  `toml:"outbox"`
}

type rawSite struct {
	Name     string    `toml:"name"`
	Internal *[]string `toml:"internal"`
	Scanners []string  `toml:"scanners"`
}

type rawPorts struct {
	Uplink string   `toml:"uplink"`
	Ward   []string `toml:"ward"`
}

type rawMgmt struct {
	VLAN    int      `toml:"vlan"`
	Address string   `toml:"address"`
	Gateway string   `toml:"gateway"`
	DNS     []string `toml:"dns"`
	NTP     []string `toml:"ntp"`
	Proxy   string   `toml:"proxy"`
}

type rawUplink struct {
	URL  string `toml:"url"`
	CA   string `toml:"ca"`
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

type rawConsole struct {
	Device     string `toml:"device"`
	Baud       int    `toml:"baud"`
	BreakGlass string `toml:"break_glass"`
}

type rawManage struct {
	Root   string   `toml:"root"`
	Groups []string `toml:"groups"`
}

type rawNAC struct {
	Hook []rawHook `toml:"hook"`
}

type rawHook struct {
	Name          string   `toml:"name"`
	Kind          string   `toml:"kind"`
	Reach         string   `toml:"reach"`
	LimitS        int      `toml:"limit_s"`
	Program       []string `toml:"program"`
	URL           string   `toml:"url"`
	CA            string   `toml:"ca"`
	Secret        string   `toml:"secret"`
	Server        string   `toml:"server"`
	NASIdentifier string   `toml:"nas_identifier"`
	NASAddress    string   `toml:"nas_address"`
}

type rawPolicy struct {
	File string `toml:"file"`
}

type rawRules struct {
	Dir string `toml:"dir"`
}

type rawState struct {
	Dir string `toml:"dir"`
}

type rawObserve struct {
	RingMiB   int  `toml:"ring_mib"`
	Recvmmsg  bool `toml:"recvmmsg"`
	Flows     int  `toml:"flows"`
	Streams   int  `toml:"streams"`
	StreamKiB int  `toml:"stream_kib"`
}

type rawOutbox struct {
	CapMiB int64 `toml:"cap_mib"`
}

// defaults is the configuration of an empty file.
func defaults() raw {
	return raw{
		Gateway: "wardkeeper",
		Mode:    string(Bridge),
		Site:    rawSite{Name: "site"},
		Ports:   rawPorts{Uplink: "eth0", Ward: []string{"eth1"}},
		Mgmt:    rawMgmt{Address: "dhcp"},
		Console: rawConsole{Baud: 115200, BreakGlass: "open"},
		State:   rawState{Dir: "/data/wardkeeper"},
		Observe: rawObserve{RingMiB: 4, Flows: 65536, Streams: 4096, StreamKiB: 16},
		Outbox:  rawOutbox{CapMiB: 32},
	}
}
