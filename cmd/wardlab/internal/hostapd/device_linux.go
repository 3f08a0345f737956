package hostapd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// talkEvery is how often a device says something.
const talkEvery = 100 * time.Millisecond

// Device is a device on a port of the switch. It talks all the time.
type Device struct {
	MAC        net.HardwareAddr
	sw         *Switch
	space      space
	supplicant *daemon
	stop       chan struct{}
	silent     chan struct{}
}

// plug connects a new device.
func (s *Switch) plug(port string) (_ *Device, err error) {
	d := &Device{sw: s, stop: make(chan struct{}), silent: make(chan struct{})}
	d.MAC = net.HardwareAddr{2, 0, 0, 0, 1, port[len(port)-1] - '0'}
	if d.space, err = newSpace(); err != nil {
		return nil, err
	}
	err = s.space.do(func() error {
		veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: port}, PeerName: card, PeerNamespace: netlink.NsFd(d.space.handle), PeerHardwareAddr: d.MAC}
		if err := netlink.LinkAdd(veth); err != nil {
			return fmt.Errorf("add veth %s: %w", port, err)
		}
		return s.join(port)
	})
	if err == nil {
		err = d.space.do(func() error { return up(card, "") })
	}
	var raw *ward.Raw
	if err == nil {
		err = d.space.do(func() (err error) { raw, err = ward.OpenRaw(card, EtherType); return err })
	}
	if err != nil {
		return nil, errors.Join(err, d.space.close())
	}
	go d.talk(raw)
	return d, nil
}

// EtherType is that of the frames of a device (IEEE: for local experiments).
const EtherType = 0x88b5

func (d *Device) talk(raw *ward.Raw) {
	defer close(d.silent)
	defer raw.Close()
	frame := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, d.MAC...)
	frame = append(frame, EtherType>>8, EtherType&0xff)
	frame = append(frame, make([]byte, 46)...)
	for {
		select {
		case <-d.stop:
			return
		case <-time.After(talkEvery):
			_ = raw.Write(frame) // the port may be down
		}
	}
}

// Guarded is the device on the port with 802.1X, Open the one on the other.
func (s *Switch) Guarded() *Device { return s.devices[0] }

// Open is the device on the port without 802.1X.
func (s *Switch) Open() *Device { return s.devices[1] }

// Supplicate starts the device's supplicant, and returns once it is let in.
func (d *Device) Supplicate() error {
	dir := d.sw.opt.Dir
	conf := filepath.Join(dir, "supplicant.conf")
	if err := os.WriteFile(conf, []byte(supplicantConf), 0o600); err != nil {
		return fmt.Errorf("configure supplicant: %w", err)
	}
	var err error
	d.supplicant, err = d.space.start(filepath.Join(dir, "supplicant.log"), d.sw.programs.Supplicant, "-D", "wired", "-i", card, "-c", conf)
	if err != nil {
		return err
	}
	return d.supplicant.until("let in", patience, func() bool { return strings.Contains(d.supplicant.said(), "CTRL-EVENT-EAP-SUCCESS") })
}

// close unplugs the device.
func (d *Device) close() {
	if d.supplicant != nil {
		d.supplicant.stop()
	}
	close(d.stop)
	<-d.silent
	d.space.close()
}
