// Package pcap writes capture files in the classic format, for the lab's own
// synthetic recordings. It reads none.
package pcap
