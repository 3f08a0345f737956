package hostapd

import (
	"errors"
	"net"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// etherEAPOL is the EtherType of 802.1X.
const etherEAPOL = 0x888e

// Prompt sends the device on the card an EAP-Request/Identity (IEEE 802.1X,
// RFC 3748), on which a supplicant begins to authenticate anew.
func Prompt(onto string, mac net.HardwareAddr) error {
	ifi, err := net.InterfaceByName(onto)
	if err != nil {
		return err
	}
	raw, err := ward.OpenRaw(onto, etherEAPOL)
	if err != nil {
		return err
	}
	frame := append(append([]byte{}, mac...), ifi.HardwareAddr...)
	frame = append(frame, etherEAPOL>>8, etherEAPOL&0xff,
		2, 0, 0, 5, // version 2, EAP packet, 5 bytes:
		1, 77, 0, 5, 1) // request, its identifier, 5 bytes, type identity
	frame = append(frame, make([]byte, 60-len(frame))...)
	return errors.Join(raw.Write(frame), raw.Close())
}
