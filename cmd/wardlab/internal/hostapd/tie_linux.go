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
	"golang.org/x/sys/unix"
)

// heed attaches to hostapd's control socket and ties its word to the guarded
// port: whom it lets in gets a static entry in the bridge's table, without which
// a locked port passes nothing, and loses it with the session.
func (s *Switch) heed(control string) error {
	own := filepath.Join(s.opt.Dir, "heed")
	conn, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"}, &net.UnixAddr{Name: control, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("reach hostapd: %w", err)
	}
	buf := make([]byte, 4096)
	_, err = conn.Write([]byte("ATTACH"))
	if err == nil {
		err = conn.SetReadDeadline(time.Now().Add(patience))
	}
	n := 0
	if err == nil {
		n, err = conn.Read(buf)
	}
	if err == nil && string(buf[:n]) != "OK\n" {
		err = fmt.Errorf("it says %q", buf[:n])
	}
	if err = errors.Join(err, conn.SetReadDeadline(time.Time{})); err != nil {
		conn.Close()
		return fmt.Errorf("attach to hostapd: %w", err)
	}
	s.events = conn
	go func() {
		defer close(s.tie)
		for {
			n, err := conn.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				err = s.event(string(buf[:n]))
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "switch:", err)
			}
		}
	}()
	return nil
}

// event handles a line like "<3>AP-STA-CONNECTED 02:00:00:00:00:01".
func (s *Switch) event(line string) error {
	_, text, _ := strings.Cut(line, ">")
	word, rest, _ := strings.Cut(text, " ")
	first, _, _ := strings.Cut(rest, " ")
	change := netlink.NeighSet
	switch word {
	case "AP-STA-CONNECTED":
	case "AP-STA-DISCONNECTED":
		change = netlink.NeighDel
	default:
		return nil
	}
	mac, err := net.ParseMAC(first)
	if err != nil || s.opt.Untied {
		return err
	}
	return s.space.do(func() error {
		port, err := netlink.LinkByName(GuardedPort)
		if err != nil {
			return fmt.Errorf("find %s: %w", GuardedPort, err)
		}
		err = change(&netlink.Neigh{LinkIndex: port.Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_NOARP, Flags: netlink.NTF_MASTER, HardwareAddr: mac})
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("%s: change the table: %w", line, err)
		}
		return nil
	})
}
