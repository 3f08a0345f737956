package hostapd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
)

// Cards and addresses of the ward.
const (
	Uplink      = "w1"             // the gateway's ward port, in the caller's namespace: the switch is behind it
	GuardedPort = "p1"             // port of the switch with 802.1X
	OpenPort    = "p2"             // port without
	gatewayNet  = "192.0.2.1/24"   // of the gateway on Uplink
	switchNet   = "192.0.2.2/24"   // of the switch
	DAS         = "192.0.2.2:3799" // where hostapd hears Disconnect-Requests
	NAS         = "sw-7b"          // its NAS-Identifier
	bridge      = "sw0"
	card        = "eth0" // of a device
	patience    = 10 * time.Second
	toGateway   = "up"
)

// The configurations take the folder of the files and the shared secret.
const (
	hostapdConf = `interface=` + GuardedPort + `
driver=wired
logger_stdout=-1
logger_stdout_level=2
ctrl_interface=%[1]s/hostapd
ieee8021x=1
use_pae_group_addr=1
eap_reauth_period=0
eap_server=1
eap_user_file=%[1]s/users
nas_identifier=` + NAS + `
own_ip_addr=192.0.2.2
radius_das_port=3799
radius_das_client=192.0.2.1 %[2]s
radius_das_time_window=300
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
`
	supplicantConf = `ap_scan=0
network={
	key_mgmt=IEEE8021X
	eap=MD5
	identity="device"
	password="device's secret"
	eapol_flags=0
}
`
)

// Options of a switch.
type Options struct {
	Dir    string // for files of the programs
	Secret string // shared with the gateway
	// Untied leaves the guarded port open to all, whatever hostapd says: hostapd
	// alone does not touch the path of the data.
	Untied bool
}

// Switch is the switch with its two devices. It belongs to one goroutine.
type Switch struct {
	opt      Options
	programs Programs
	space    space
	hostapd  *daemon
	events   *net.UnixConn
	tie      chan struct{} // closed when the switch heeds hostapd no more
	devices  []*Device
}

// New builds the switch behind the gateway's card Uplink.
func New(p Programs, opt Options) (_ *Switch, err error) {
	s := &Switch{opt: opt, programs: p, tie: make(chan struct{})}
	if s.space, err = newSpace(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.build(); err != nil {
		return nil, err
	}
	return s, s.authenticate()
}

// build makes the bridge and its way to the gateway.
func (s *Switch) build() error {
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: Uplink}, PeerName: toGateway, PeerNamespace: netlink.NsFd(s.space.handle)}); err != nil {
		return fmt.Errorf("add veth %s: %w", Uplink, err)
	}
	if err := up(Uplink, gatewayNet); err != nil {
		return err
	}
	return s.space.do(func() error {
		// Frames to the PAE group are hostapd's: the bridge keeps them (mask 0).
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}}); err != nil {
			return fmt.Errorf("add bridge: %w", err)
		}
		return errors.Join(up(bridge, switchNet), s.join(toGateway))
	})
}

func up(name, address string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if address != "" {
		a, err := netlink.ParseAddr(address)
		if err != nil {
			return fmt.Errorf("address of %s: %w", name, err)
		}
		if err := netlink.AddrAdd(link, a); err != nil {
			return fmt.Errorf("address of %s: %w", name, err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// join makes the card a port of the bridge.
func (s *Switch) join(name string) error {
	port, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	br, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("find %s: %w", bridge, err)
	}
	if err := netlink.LinkSetMaster(port, br); err != nil {
		return fmt.Errorf("join %s to %s: %w", name, bridge, err)
	}
	return up(name, "")
}

// authenticate starts hostapd on the guarded port and heeds it.
func (s *Switch) authenticate() error {
	for _, port := range []string{GuardedPort, OpenPort} {
		d, err := s.plug(port)
		if err != nil {
			return err
		}
		s.devices = append(s.devices, d)
	}
	if !s.opt.Untied {
		if err := s.run(s.programs.Bridge, "link", "set", "dev", GuardedPort, "locked", "on", "learning", "off"); err != nil {
			return err
		}
	}
	conf := filepath.Join(s.opt.Dir, "hostapd.conf")
	users := []byte(`"device" MD5 "device's secret"` + "\n")
	if err := errors.Join(os.WriteFile(conf, fmt.Appendf(nil, hostapdConf, s.opt.Dir, s.opt.Secret), 0o600), os.WriteFile(filepath.Join(s.opt.Dir, "users"), users, 0o600)); err != nil {
		return fmt.Errorf("configure hostapd: %w", err)
	}
	var err error
	if s.hostapd, err = s.space.start(filepath.Join(s.opt.Dir, "hostapd.log"), s.programs.Hostapd, conf); err != nil {
		return err
	}
	control := filepath.Join(s.opt.Dir, "hostapd", GuardedPort)
	if err := s.hostapd.until("up", patience, func() bool { _, err := os.Stat(control); return err == nil }); err != nil {
		return err
	}
	return s.heed(control)
}

// run runs a command on the switch.
func (s *Switch) run(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	var said []byte
	err := s.space.do(func() (err error) { said, err = cmd.CombinedOutput(); return err })
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, said)
	}
	return nil
}

// Log is what hostapd wrote.
func (s *Switch) Log() string { return s.hostapd.said() }

// InSpace is the start of a command line that runs a program on the switch, from
// anywhere.
func (s *Switch) InSpace() []string {
	return []string{s.programs.NSEnter, "--net=/proc/" + strconv.Itoa(s.hostapd.cmd.Process.Pid) + "/ns/net"}
}

// Close ends the programs and takes all down.
func (s *Switch) Close() error {
	for _, d := range s.devices {
		d.close()
	}
	if s.events != nil {
		s.events.Close()
		<-s.tie
	}
	if s.hostapd != nil {
		s.hostapd.stop()
	}
	var err error
	if link, lerr := netlink.LinkByName(Uplink); lerr == nil {
		err = netlink.LinkDel(link)
	}
	return errors.Join(err, s.space.close())
}
