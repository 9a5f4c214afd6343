package lab

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// The NAT of a kernelNet stands between the ports of its members and the rest of the wire, as a router would that has the same
// Ethernet on both sides: the others' kernels know its address as their neighbour's and send there.

// hides reports whether the node of a port is behind the NAT.
func (w *wire) hides(p *port) bool { return slices.ContainsFunc(p.addrs, w.net.nat.Hides) }

// leaveNAT records a frame from inside and returns it as it leaves the NAT, nil if it does not.
func (w *wire) leaveNAT(frame []byte) []byte {
	now := time.Now()
	w.net.record(capture.Frame{At: now, Link: NATLink, Ethernet: frame, Packet: frame[ethernetHeader:]})
	packet, ok := w.net.nat.out(now, frame[ethernetHeader:])
	if !ok {
		return nil
	}
	return slices.Concat(frame[:6], natMAC, frame[12:ethernetHeader], packet)
}

// enterNAT takes a frame for the NAT to the member that it is for.
func (w *wire) enterNAT(frame []byte) {
	now := time.Now()
	packet, ok := w.net.nat.in(now, frame[ethernetHeader:])
	if !ok {
		return
	}
	ip, _ := ParseIPv4(packet)
	for _, p := range w.ports {
		if slices.Contains(p.addrs, ip.Destination) {
			inner := slices.Concat(p.mac, natMAC, frame[12:ethernetHeader], packet)
			w.net.record(capture.Frame{At: now, Link: NATLink, Ethernet: inner, Packet: inner[ethernetHeader:]})
			w.write(p, inner)
		}
	}
}
