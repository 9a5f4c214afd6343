package capturetest

import (
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// UDP adds a datagram on the WAN.
func (t *Talk) UDP(from, to netip.AddrPort, data []byte) {
	ip := t.ip(from.Addr(), to.Addr(), layers.IPProtocolUDP)
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	must(udp.SetNetworkLayerForChecksum(ip))
	t.add("wan", ip, udp, gopacket.Payload(data))
}

// Echo adds an ICMP echo request in clear.
func (t *Talk) Echo(link string, from, to netip.Addr, seq uint16) {
	t.add(link, t.ip(from, to, layers.IPProtocolICMPv4), echo(seq), gopacket.Payload("a secret of the group"))
}

func echo(seq uint16) *layers.ICMPv4 {
	return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0), Id: 7, Seq: seq}
}

func (t *Talk) ip(from, to netip.Addr, protocol layers.IPProtocol) *layers.IPv4 {
	t.ipID++
	return &layers.IPv4{Version: 4, TTL: 64, Id: t.ipID, Protocol: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
}

func (t *Talk) add(link string, ls ...gopacket.SerializableLayer) {
	t.Wait(1700 * time.Microsecond)
	t.Frames = append(t.Frames, capture.Frame{At: t.Now, Link: link, Packet: serialize(ls...)})
}

func serialize(ls ...gopacket.SerializableLayer) []byte {
	b := gopacket.NewSerializeBuffer()
	must(gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...))
	return b.Bytes()
}
