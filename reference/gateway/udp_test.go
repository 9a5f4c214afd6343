package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// withUDP has a gateway that has both versions of IP take SAs of ESP in UDP, in transport mode too.
func withUDP(c *Config) { asHost(c); c.UDP = true }

func withUDPAnd(more func(*Config)) func(*Config) { return func(c *Config) { withUDP(c); more(c) } }

// inUDPSA is an SA like that in UDP.
func inUDPSA(sa policy.TrafficSA) policy.TrafficSA {
	sa.Transform.Mode += policy.ModeUDPTunnel - policy.ModeTunnel
	return sa
}

// udpHeader is what stands in front of ESP.
type udpHeader struct {
	from, to, length, sum uint16
	rest                  []byte
}

func udpOf(t testing.TB, packet []byte) udpHeader {
	t.Helper()
	p, err := parse(packet)
	if err != nil || p.flow.Protocol != protocolUDP || len(p.body()) < udpLen {
		t.Fatalf("%x is no UDP, %v", packet, err)
	}
	b := p.body()
	word := func(at int) uint16 { return binary.BigEndian.Uint16(b[at:]) }
	return udpHeader{word(0), word(2), word(4), word(6), b[udpLen:]}
}

// withUDPHeader is a packet with that done to it from its UDP header on.
func withUDPHeader(packet []byte, change func(b []byte)) []byte {
	b := bytes.Clone(packet)
	at := headerLen
	if b[0]>>4 == 6 {
		at = header6Len
	}
	change(b[at:])
	return b
}

func TestUDPThereAndBack(t *testing.T) {
	for _, sa := range []policy.TrafficSA{gcmSA(256), cbcSA(256), transportSA(gcmSA(256)), portSA(256, 2000), gcm6(256), transportSA(gcm6(256))} {
		sa = inUDPSA(sa)
		a, b := newGateway(t, gatewayA, withUDP, sa), newGateway(t, gatewayB, withUDP, sa)
		packet, six := udp(t, hostA, hostB, 40), sa.Selector == anySix
		if six {
			packet = udp6(t, host6A, host6B, 40)
		}
		out, err := handle(a, at(1), core.Inside, packet)
		if err != nil || len(out) != 1 {
			t.Fatalf("%d packets, %v", len(out), err)
		}
		outer := out[0].bytes
		h := udpOf(t, outer)
		if h.from != 4500 || h.to != 4500 || int(h.length) != udpLen+len(h.rest) || binary.BigEndian.Uint32(h.rest) != 256 || h.sum == 0 != !six {
			t.Errorf("%+v", h)
		}
		if six && checksumOf(t, outer) != h.sum {
			t.Errorf("checksum %x, gopacket has %x", h.sum, checksumOf(t, outer))
		}
		in, err := handle(b, at(1), core.Outside, outer)
		if err != nil || len(in) != 1 || !bytes.Equal(in[0].bytes, packet) {
			t.Errorf("%+v comes out, %v", in, err)
		}
	}
}

// checksumOf is the UDP checksum as gopacket makes it.
func checksumOf(t testing.TB, packet []byte) uint16 {
	t.Helper()
	p := gopacket.NewPacket(packet, layers.LayerTypeIPv6, gopacket.Default)
	u := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if err := u.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{ComputeChecksums: true}, u, gopacket.Payload(u.Payload)); err != nil {
		t.Fatal(err)
	}
	return binary.BigEndian.Uint16(buf.Bytes()[offUDPChecksum:])
}

func TestUDPOuterHeader(t *testing.T) {
	sa := inUDPSA(gcmSA(1))
	a := newGateway(t, gatewayA, withUDPAnd(func(c *Config) { c.TTL = 200 }), sa)
	outer := decode(t, one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 10, dontFragment, func(ip *layers.IPv4) { ip.TOS = 0xb9 }), core.Outside))
	if outer.TOS != 0xb9 || outer.TTL != 200 || outer.Flags&layers.IPv4DontFragment == 0 || outer.Protocol != layers.IPProtocolUDP {
		t.Errorf("%+v", outer)
	}
	marked := newGateway(t, gatewayB, withUDP, sa)
	packet := one(t, newGateway(t, gatewayA, withUDP, sa), at(1), core.Inside, udp(t, hostA, hostB, 10, func(ip *layers.IPv4) { ip.TOS = 2 }), core.Outside)
	packet[offTOS] |= ecnCE
	resum(packet, headerLen)
	if inner := decode(t, one(t, marked, at(1), core.Outside, packet, core.Inside)); inner.TOS != ecnCE {
		t.Errorf("TOS %x inside", inner.TOS)
	}
}

func TestUDPNeedsThePort(t *testing.T) {
	for _, sa := range []policy.TrafficSA{inUDPSA(gcmSA(1)), inUDPSA(transportSA(gcmSA(1)))} {
		if g := newGateway(t, gatewayA, asHost); g.Accepts(sa) == nil {
			t.Error("a gateway without the port takes an SA in UDP")
		}
		if g := newGateway(t, gatewayA, withUDP); g.Accepts(sa) != nil {
			t.Error(g.Accepts(sa))
		}
	}
	if g := newGateway(t, gatewayA, func(c *Config) { c.UDP = true }); g.Accepts(inUDPSA(transportSA(gcmSA(1)))) == nil {
		t.Error("a gateway takes transport mode in UDP")
	}
}

// What is not what the SA says is not opened: ESP without UDP, UDP without an SA in UDP, another port, a marker in front, too short.
func TestUDPIsAsAgreed(t *testing.T) {
	sa := inUDPSA(gcmSA(256))
	outer := one(t, newGateway(t, gatewayA, withUDP, sa), at(1), core.Inside, udp(t, hostA, hostB, 40), core.Outside)
	plain := one(t, newGateway(t, gatewayA, withUDP, gcmSA(256)), at(1), core.Inside, udp(t, hostA, hostB, 40), core.Outside)
	b := newGateway(t, gatewayB, withUDP, sa)
	h := udpOf(t, outer)
	refuses(t, b, at(1), core.Outside, plain, guardSPI)
	refuses(t, newGateway(t, gatewayB, withUDP, gcmSA(256)), at(1), core.Outside, outer, guardClear)
	refuses(t, newGateway(t, gatewayB, withUDP, gcmSA(256), inUDPSA(gcmSA(300))), at(1), core.Outside, outer, guardClear)
	refuses(t, b, at(1), core.Outside, udpPacket(t, hostA, hostB, 4500, 4501, h.rest), guardClear)
	refuses(t, b, at(1), core.Outside, udpPacket(t, hostA, hostB, 4500, 4500, append(natt.AppendMarker(nil), h.rest...)), guardClear)
	for cut := range len(h.rest) - 1 {
		guard := guardClear
		if cut >= espFixed {
			guard = nil
		}
		short := udpPacket(t, hostA, hostB, 4500, 4500, h.rest[:cut])
		if out, err := handle(b, at(1), core.Outside, short); len(out) != 0 || err == nil {
			t.Errorf("of %d octets comes %v, %v", cut, out, err)
		} else if guard != nil {
			refuses(t, b, at(1), core.Outside, short, guard)
		}
	}
	for _, length := range []uint16{0, 7, h.length + 1, 0xffff} {
		refuses(t, b, at(1), core.Outside, withUDPHeader(outer, func(b []byte) { binary.BigEndian.PutUint16(b[4:], length) }), guardClear)
	}
	refuses(t, b, at(1), core.Outside, udpPacket(t, hostA, hostB, 4500, 4500, []byte{0xff, 0xff}), guardClear)
	one(t, b, at(1), core.Outside, outer, core.Inside)
}

func udpPacket(t testing.TB, src, dst string, from, to uint16, data []byte) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 17, Protocol: layers.IPProtocolUDP,
		SrcIP: netip.MustParseAddr(src).AsSlice(), DstIP: netip.MustParseAddr(dst).AsSlice()}
	u := &layers.UDP{SrcPort: layers.UDPPort(from), DstPort: layers.UDPPort(to)}
	if err := u.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return serialize(t, ip, u, gopacket.Payload(data))
}

// A NAT may have given the sender another port, and a checksum is there or not.
func TestUDPFromAnyPortWithAnyChecksum(t *testing.T) {
	sa := inUDPSA(gcmSA(256))
	h := udpOf(t, one(t, newGateway(t, gatewayA, withUDP, sa), at(1), core.Inside, udp(t, hostA, hostB, 40), core.Outside))
	b := newGateway(t, gatewayB, withUDP, sa)
	one(t, b, at(1), core.Outside, udpPacket(t, hostA, hostB, 51234, 4500, h.rest), core.Inside)
	wrong := withUDPHeader(udpPacket(t, hostA, hostB, 4500, 4500, h.rest), func(b []byte) { b[6] ^= 1 })
	one(t, b, at(1), core.Outside, wrong, core.Inside)
	strict := newGateway(t, gatewayB, withUDPAnd(mutant(t, "gateway.udp.any", "broken")), sa)
	refuses(t, strict, at(1), core.Outside, wrong, guardClear)
}

func TestKeepalivesAmongESP(t *testing.T) {
	b := newGateway(t, gatewayB, withUDP, inUDPSA(gcmSA(256)))
	for _, packet := range [][]byte{udpPacket(t, hostA, hostB, 4500, 4500, []byte{0xff}), udpPacket(t, hostA, hostB, 40000, 4500, []byte{0xff})} {
		if out, err := handle(b, at(1), core.Outside, packet); len(out) != 0 || err != nil || b.counts.dropped != 0 {
			t.Errorf("%d packets, %v", len(out), err)
		}
	}
	refuses(t, newGateway(t, gatewayB, withUDP, gcmSA(256)), at(1), core.Outside, udpPacket(t, hostA, hostB, 4500, 4500, []byte{0xff}), guardClear)
}

// Where the policy protects nothing, hosts speak ESP in UDP with whom they like.
func TestForeignESPInUDP(t *testing.T) {
	b := newGateway(t, gatewayB, withUDP, inUDPSA(gcmSA(256)))
	const elsewhere = "198.51.100.1"
	foreign := append([]byte{1, 2, 3, 4, 0, 0, 0, 1}, make([]byte, 1000)...)
	for _, data := range [][]byte{foreign, {0xff}, append(natt.AppendMarker(nil), 1), {1, 2, 3, 4, 5}, {1}} {
		packet := udpPacket(t, elsewhere, hostB, 4500, 4500, data)
		if got := one(t, b, at(1), core.Outside, packet, core.Inside); !bytes.Equal(got, packet) {
			t.Errorf("%x comes as %x", packet, got)
		}
	}
	// A fragment may be of either, so they are put together, and taken apart again.
	packet := udpPacket(t, elsewhere, hostB, 1000, 2000, make([]byte, 4000))
	var out []emitted
	for _, piece := range cut4(t, packet, 1500) {
		more, err := handle(b, at(1), core.Outside, piece)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, more...)
	}
	var pieces [][]byte
	for _, o := range out {
		pieces = append(pieces, o.bytes)
	}
	if len(pieces) != 3 || !bytes.Equal(defragment(t, pieces), packet) {
		t.Errorf("%d pieces come out, or not the same packet", len(pieces))
	}
	six := with(udp6(t, "2001:db9::1", host6B, 24), fragmentHeader(0, true, 1))
	if out, err := handle(b, at(1), core.Outside, six); len(out) != 0 || err != nil {
		t.Errorf("%d packets, %v", len(out), err)
	}
	last := with(wrap6(t, "2001:db9::1", host6B, protocolUDP, make([]byte, 1400)), fragmentHeader(8, false, 2))
	first := with(wrap6(t, "2001:db9::1", host6B, protocolUDP, []byte{1, 2, 3, 4, 0x05, 0x80, 0, 0}), fragmentHeader(0, true, 2))
	if out, err := handle(b, at(1), core.Outside, last); len(out) != 0 || err != nil {
		t.Errorf("%d packets, %v", len(out), err)
	}
	if out, err := handle(b, at(1), core.Outside, first); len(out) != 2 || err != nil {
		t.Errorf("%d packets, %v", len(out), err)
	}
	b.Expire(at(100))
}

// cut4 is a packet in fragments.
func cut4(t testing.TB, packet []byte, limit int) (pieces [][]byte) {
	t.Helper()
	if err := fragment4(packet, limit, func(p []byte) error { pieces = append(pieces, bytes.Clone(p)); return nil }); err != nil {
		t.Fatal(err)
	}
	return pieces
}

// A gateway further inside may have the SA.
func TestUDPIsForwarded(t *testing.T) {
	outer := one(t, newGateway(t, gatewayA, withUDP, inUDPSA(gcmSA(256))), at(1), core.Inside, udp(t, hostA, hostB, 40), core.Outside)
	b := newGateway(t, gatewayB, withUDPAnd(func(c *Config) { c.ForwardESP = true }), inUDPSA(gcmSA(300)))
	if got := one(t, b, at(1), core.Outside, outer, core.Inside); !bytes.Equal(got, outer) {
		t.Errorf("%x comes as %x", outer, got)
	}
}

func TestUDPTooBig(t *testing.T) {
	for _, sa := range []policy.TrafficSA{inUDPSA(gcmSA(256)), inUDPSA(transportSA(gcmSA(256)))} {
		a, b := newGateway(t, gatewayA, withUDP, sa), newGateway(t, gatewayB, withUDP, sa)
		answer := decode(t, one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 1472, dontFragment), core.Inside))
		told := int(answer.Payload[6])<<8 | int(answer.Payload[7])
		plain := sa
		plain.Transform.Mode -= 2
		answer = decode(t, one(t, newGateway(t, gatewayA, withUDP, plain), at(1), core.Inside, udp(t, hostA, hostB, 1472, dontFragment), core.Inside))
		if without := int(answer.Payload[6])<<8 | int(answer.Payload[7]); without != told+udpLen {
			t.Errorf("MTU %d, and %d without UDP", told, without)
		}
		if outer := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, told-28, dontFragment), core.Outside); len(outer) > 1500 || len(outer) < 1497 {
			t.Errorf("%d octets", len(outer))
		}
		one(t, a, at(1), core.Inside, udp(t, hostA, hostB, told-27, dontFragment), core.Inside)

		after := newGateway(t, gatewayA, withUDPAnd(func(c *Config) { c.Fragment = policy.FragmentAfter }), sa)
		packet := udp(t, hostA, hostB, 2000)
		out, err := handle(after, at(1), core.Inside, packet)
		if err != nil || len(out) != 2 {
			t.Fatalf("%d packets, %v", len(out), err)
		}
		if waits, err := handle(b, at(1), core.Outside, out[1].bytes); len(waits) != 0 || err != nil {
			t.Fatalf("%d packets, %v", len(waits), err)
		}
		if got := one(t, b, at(1), core.Outside, out[0].bytes, core.Inside); !bytes.Equal(got, packet) {
			t.Error("another packet comes out")
		}
	}
}

// A router that quotes ESP in UDP tells the MTU of its path.
func TestUDPPathMTU(t *testing.T) {
	sa := inUDPSA(gcmSA(256))
	a := newGateway(t, gatewayA, withUDP, sa)
	outer := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 1000), core.Outside)
	news := wrap(t, "198.51.100.9", hostA, protocolICMP, append([]byte{3, 4, 0, 0, 0, 0, 0x03, 0x84}, outer[:60]...))
	if out, err := handle(a, at(2), core.Outside, news); len(out) != 0 || err != nil {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	answer := decode(t, one(t, a, at(3), core.Inside, udp(t, hostA, hostB, 1000, dontFragment), core.Inside))
	if told := int(answer.Payload[6])<<8 | int(answer.Payload[7]); told > 900-headerLen-udpLen {
		t.Errorf("the host is told %d", told)
	}
}

// TestUDPRepairsChecksums: a NAT has changed the outer source, which in transport mode is the packet's own.
func TestUDPRepairsChecksums(t *testing.T) {
	const translated = "10.9.9.9"
	sa := inUDPSA(transportSA(gcmSA(256)))
	tcp := func(src string) []byte { return tcpPacket(t, src, hostB) }
	plain := func(src string) []byte { return udpPacket(t, src, hostB, 5000, 2000, []byte("hello")) }
	none := func(src string) []byte { return withUDPHeader(plain(src), func(b []byte) { b[6], b[7] = 0, 0 }) }
	odd := func(src string) []byte { return wrap(t, src, hostB, 132, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}) }
	for name, packet := range map[string]func(string) []byte{"TCP": tcp, "UDP": plain, "UDP without": none, "SCTP": odd} {
		a, b := newGateway(t, gatewayA, withUDP, sa), newGateway(t, gatewayB, withUDP, sa)
		outer := one(t, a, at(1), core.Inside, packet(hostA), core.Outside)
		copy(outer[offSource:], netip.MustParseAddr(translated).AsSlice())
		resum(outer, headerLen)
		want := packet(translated)
		got := one(t, b, at(1), core.Outside, outer, core.Inside)
		if !bytes.Equal(got[headerLen:], want[headerLen:]) {
			t.Errorf("%s: got\n%x, want\n%x", name, got[headerLen:], want[headerLen:])
		}
	}
	// In tunnel mode nothing is repaired: who receives it has to see that it is wrong.
	broken := tcp(hostA)
	broken[headerLen+offTCPChecksum] ^= 1
	tunnel := inUDPSA(gcmSA(256))
	if _, got := through(t, newGateway(t, gatewayA, withUDP, tunnel), newGateway(t, gatewayB, withUDP, tunnel), broken); !bytes.Equal(got, broken) {
		t.Errorf("got\n%x, want\n%x", got, broken)
	}
	// Nor where UDP is not in between.
	straight := transportSA(gcmSA(256))
	if _, got := through(t, newGateway(t, gatewayA, withUDP, straight), newGateway(t, gatewayB, withUDP, straight), broken); !bytes.Equal(got, broken) {
		t.Errorf("got\n%x, want\n%x", got, broken)
	}
}

func TestUDPRepairsChecksums6(t *testing.T) {
	sa := inUDPSA(transportSA(gcm6(256)))
	a, b := newGateway(t, gatewayA, withUDP, sa), newGateway(t, gatewayB, withUDP, sa)
	outer := one6(t, a, core.Inside, with(udp6(t, host6A, host6B, 20), destinationOptions()), core.Outside)
	copy(outer[off6Source:], netip.MustParseAddr("2001:db8:9::9").AsSlice())
	want := with(udp6(t, "2001:db8:9::9", host6B, 20), destinationOptions())
	if got := one6(t, b, core.Outside, outer, core.Inside); !bytes.Equal(got, want) {
		t.Errorf("got\n%x, want\n%x", got, want)
	}
}

func tcpPacket(t testing.TB, src, dst string) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 17, Protocol: layers.IPProtocolTCP,
		SrcIP: netip.MustParseAddr(src).AsSlice(), DstIP: netip.MustParseAddr(dst).AsSlice()}
	tcp := &layers.TCP{SrcPort: 5000, DstPort: 2000, Seq: 7, ACK: true, DataOffset: 5, Window: 100}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return serialize(t, ip, tcp, gopacket.Payload("hello"))
}

// What a socket of the node got becomes the packet again that it came in.
func TestDatagramsOfTheSocket(t *testing.T) {
	peers := withUDPAnd(func(c *Config) {
		c.Peers = []policy.TunnelPeer{{Network: mustPrefix("10.2.0.0/16"), Gateway: netip.MustParseAddr(gatewayB)},
			{Network: mustPrefix("2001:db8:2::/48"), Gateway: netip.MustParseAddr(gateway6B)}}
	})
	for _, sa := range []policy.TrafficSA{inUDPSA(gcmSA(256)), inUDPSA(gcm6(256))} {
		sa.Transform.Preservation = policy.PreserveNone
		a, b := newGateway(t, gatewayA, peers, sa), newGateway(t, gatewayB, peers, sa)
		packet := udp(t, hostA, hostB, 40)
		if sa.Selector == anySix {
			packet = udp6(t, host6A, host6B, 40)
		}
		out, err := handle(a, at(1), core.Inside, packet)
		if err != nil || len(out) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		p, err := parse(out[0].bytes)
		if err != nil || p.flow.Destination != b.own(p.is6()) {
			t.Fatalf("%+v, %v", p.flow, err)
		}
		d := &core.Datagram{From: netip.AddrPortFrom(p.flow.Source, 40000), To: netip.AddrPortFrom(p.flow.Destination, natt.Port), Data: p.body()[udpLen:]}
		var got []byte
		if err := b.HandleDatagram(at(1), d, func(_ core.Side, p []byte) { got = bytes.Clone(p) }); err != nil || !bytes.Equal(got, packet) {
			t.Errorf("%x comes out, %v", got, err)
		}
		made, err := parse(appendPacket(nil, d))
		if err != nil || made.flow.SourcePort != 40000 || made.flow.DestinationPort != natt.Port || !bytes.Equal(made.body()[udpLen:], d.Data) {
			t.Errorf("%+v, %v", made.flow, err)
		}
		d.Data = d.Data[:7]
		if err := b.HandleDatagram(at(1), d, discard); err == nil {
			t.Error("7 octets are ESP")
		}
		d.Data = append([]byte{0, 0, 9, 9}, make([]byte, 30)...)
		if err := b.HandleDatagram(at(1), d, discard); refusedBy(err) != guardSPI {
			t.Errorf("another SPI: %v", err)
		}
		b.Expire(t0.Add(2 * time.Hour))
	}
}

// TestUDPMutants: one packet through two gateways, or one that has to be refused, tells each guard of ESP in UDP from its mutant.
func TestUDPMutants(t *testing.T) {
	story := func(alter func(*Config)) (lines []string) {
		both := withUDPAnd(alter)
		for _, sa := range []policy.TrafficSA{inUDPSA(gcmSA(256)), inUDPSA(transportSA(gcmSA(256)))} {
			right := newGateway(t, gatewayA, withUDP, sa)
			broken := tcpPacket(t, hostA, hostB)
			broken[headerLen+offTCPChecksum] ^= 1
			outer := one(t, right, at(1), core.Inside, broken, core.Outside)
			rest := udpOf(t, outer).rest
			sent, err := handle(newGateway(t, gatewayA, both, sa), at(1), core.Inside, broken)
			lines = append(lines, fmt.Sprint(sent, err))
			for _, packet := range [][]byte{outer, udpPacket(t, hostA, hostB, 4500, 4500, rest), udpPacket(t, hostA, hostB, 4500, 4501, rest),
				udpPacket(t, hostA, hostB, 4500, 4500, append(natt.AppendMarker(nil), rest...))} {
				got, err := handle(newGateway(t, gatewayB, both, sa), at(1), core.Outside, packet)
				lines = append(lines, fmt.Sprint(got, err))
			}
			without := newGateway(t, gatewayA, func(c *Config) { asHost(c); alter(c) })
			lines = append(lines, fmt.Sprint(without.Accepts(sa)))
		}
		return lines
	}
	right := story(func(*Config) {})
	for _, g := range rule.All() {
		if !strings.HasPrefix(g.Name, "gateway.udp.") && g != guardUDP {
			continue
		}
		for _, m := range g.Kind.Mutations() {
			if slices.Equal(right, story(mutant(t, g.Name, m.String()))) {
				t.Errorf("nothing tells %s from its mutant", g)
			}
		}
	}
}
