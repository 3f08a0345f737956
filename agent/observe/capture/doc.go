// Package capture is where frames come in: Task keeps a live port open and
// hands its frames on, Open reads a capture file (pcap, pcapng, snoop) behind
// the same platform.FrameSource.
//
// It is not a packet recorder: no frame is kept or written, and it does not
// look into one. How a live port is read is the platform's business.
package capture
