// Package hostapd is an access switch with 802.1X, made of the real hostapd and
// wpa_supplicant (apt packages of the names hostapd and wpasupplicant): a bridge
// whose authenticated port passes whom hostapd lets in, with the DAS port by
// which a gateway ends sessions. It judges nothing, and is not for the lab's
// ordinary runs.
package hostapd
