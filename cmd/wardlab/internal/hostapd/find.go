package hostapd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrMissing says what to install.
var ErrMissing = errors.New("needs the apt packages hostapd, wpasupplicant, iproute2 and util-linux")

// Programs are where the programs are.
type Programs struct {
	Hostapd, Supplicant, Bridge, NSEnter, IP string
}

// Find returns the programs; the error wraps ErrMissing. Debian puts most of
// them where only root looks.
func Find() (Programs, error) {
	var p Programs
	for name, to := range map[string]*string{"hostapd": &p.Hostapd, "wpa_supplicant": &p.Supplicant, "bridge": &p.Bridge, "nsenter": &p.NSEnter, "ip": &p.IP} {
		path, err := exec.LookPath(name)
		if err != nil {
			path = filepath.Join("/usr/sbin", name)
			if _, err := os.Stat(path); err != nil {
				return Programs{}, fmt.Errorf("%w: no %s", ErrMissing, name)
			}
		}
		*to = path
	}
	return p, nil
}
