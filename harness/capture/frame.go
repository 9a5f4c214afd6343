package capture

import "time"

// Frame is one packet as it was seen on a link.
type Frame struct {
	At       time.Time
	Link     string // where: "wan", "lan1"
	Packet   []byte // the IP packet; nil if the frame holds something else
	Ethernet []byte // the whole frame if the fabric has them, else nil
	Note     string // what the tester did to it or says of it; the packet comment of the capture file
}
