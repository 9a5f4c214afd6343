package lab

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// The NAT of a kernelNet stands between the ports of its members and the rest of the wire, as a router would that has the same
// Ethernet on both sides: it answers ARP for its own address, and the key server's kernel sends there.

// hides reports whether the node of a port is behind the NAT.
func (w *wire) hides(p *port) bool { return slices.ContainsFunc(p.addrs, w.net.nat.Hides) }

// The places of an ARP packet behind its Ethernet header, for IPv4 over Ethernet (RFC 826).
const (
	arpOperation = ethernetHeader + 6
	arpSender    = ethernetHeader + 8 // hardware address, then protocol address
	arpTarget    = ethernetHeader + 18
	arpLen       = ethernetHeader + 28
)

// resolveNAT answers an ARP request for the NAT's address; nil if the frame is none.
func (w *wire) resolveNAT(frame []byte) []byte {
	const request, reply = 1, 2
	if len(frame) < arpLen || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_ARP || binary.BigEndian.Uint16(frame[arpOperation:]) != request {
		return nil
	}
	if netip.AddrFrom4([4]byte(frame[arpTarget+6:arpLen])) != NATAddr {
		return nil
	}
	answer := slices.Concat(frame[arpSender:arpSender+6], natMAC, frame[12:arpLen])
	binary.BigEndian.PutUint16(answer[arpOperation:], reply)
	copy(answer[arpTarget:], frame[arpSender:arpSender+10])
	copy(answer[arpSender:], natMAC)
	copy(answer[arpSender+6:], NATAddr.AsSlice())
	return answer
}

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
