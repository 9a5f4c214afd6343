package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// The example network of IPv6.
const (
	host6A, host6B       = "2001:db8:1::2", "2001:db8:2::2"
	gateway6A, gateway6B = "2001:db8:ff::1", "2001:db8:ff::2"
)

var anySix = policy.Selector{Source: mustPrefix("2001:db8::/32"), Destination: mustPrefix("2001:db8::/32")}

func gcm6(spi uint32) policy.TrafficSA {
	s := gcmSA(spi)
	s.Selector = anySix
	return s
}

// dual gives a gateway an address of IPv6 beside its own of IPv4: ::1 beside .1, and so on.
func dual(c *Config) {
	c.Addresses = []netip.Addr{netip.MustParseAddr(gateway6A)}
	if c.Address.String() == gatewayB {
		c.Addresses[0] = netip.MustParseAddr(gateway6B)
	}
}

func dualWith(more func(*Config)) func(*Config) { return func(c *Config) { dual(c); more(c) } }

// header6 alters the header of a test packet.
type header6 func(*layers.IPv6)

// udp6 builds a UDP packet with gopacket, from port 1000 to 2000, of n octets of payload.
func udp6(t testing.TB, src, dst string, n int, alter ...header6) []byte {
	t.Helper()
	ip := &layers.IPv6{Version: 6, HopLimit: 17, FlowLabel: 0x12345, NextHeader: layers.IPProtocolUDP,
		SrcIP: netip.MustParseAddr(src).AsSlice(), DstIP: netip.MustParseAddr(dst).AsSlice()}
	for _, f := range alter {
		f(ip)
	}
	u := &layers.UDP{SrcPort: 1000, DstPort: 2000}
	if err := u.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return serialize(t, ip, u, gopacket.Payload(someBody(n)))
}

// wrap6 builds an IPv6 packet of any next header around a body.
func wrap6(t testing.TB, src, dst string, next uint8, body []byte) []byte {
	t.Helper()
	return serialize(t, &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocol(next),
		SrcIP: netip.MustParseAddr(src).AsSlice(), DstIP: netip.MustParseAddr(dst).AsSlice()}, gopacket.Payload(body))
}

// with puts extension headers into a packet, each given as its type and its octets, the first of which names what follows.
func with(packet []byte, headers ...[]byte) []byte {
	out := bytes.Clone(packet[:header6Len])
	at, next := off6Next, packet[off6Next]
	for _, h := range headers {
		out[at] = h[0]
		at = len(out)
		out = append(out, next)
		out = append(out, h[2:]...)
	}
	out = append(out, packet[header6Len:]...)
	finish(out)
	return out
}

// Extension headers of eight octets, led by their type.
func hopByHop() []byte           { return []byte{extHopByHop, 0, 0, 5, 2, 0, 0, 1, 0} } // Router Alert
func destinationOptions() []byte { return []byte{extDestination, 0, 0, 1, 4, 0, 0, 0, 0} }
func routing() []byte            { return []byte{extRouting, 0, 0, 253, 0, 0, 0, 0, 0} }
func fragmentHeader(offset int, more bool, id byte) []byte {
	h := []byte{extFragment, 0, 0, byte(offset >> 8), byte(offset), 0, 0, 0, id}
	if more {
		h[4] |= flag6MF
	}
	return h
}

func decode6(t testing.TB, packet []byte) *layers.IPv6 {
	t.Helper()
	ip := new(layers.IPv6)
	if err := ip.DecodeFromBytes(packet, gopacket.NilDecodeFeedback); err != nil {
		t.Fatalf("%x: %v", packet, err)
	}
	return ip
}

func TestExtensionHeaders(t *testing.T) {
	plain := udp6(t, host6A, host6B, 20)
	for _, c := range []struct {
		name    string
		headers [][]byte
		routed  int // octets of extension headers in front of ESP in transport mode
		hidden  bool
	}{
		{"none", nil, 0, false},
		{"hop-by-hop", [][]byte{hopByHop()}, 8, false},
		{"routing", [][]byte{routing()}, 8, false},
		{"destination", [][]byte{destinationOptions()}, 0, false},
		{"all that routers read", [][]byte{hopByHop(), destinationOptions(), routing()}, 24, false},
		{"and the receiver too", [][]byte{hopByHop(), destinationOptions(), routing(), destinationOptions()}, 24, false},
		{"one fragment", [][]byte{fragmentHeader(0, false, 1)}, 8, false},
		{"first fragment", [][]byte{hopByHop(), fragmentHeader(0, true, 1)}, 16, false},
		{"later fragment", [][]byte{hopByHop(), fragmentHeader(64, true, 1)}, 16, true},
		{"eight", [][]byte{routing(), routing(), routing(), routing(), routing(), routing(), routing(), routing()}, 64, false},
	} {
		p, err := parse(with(plain, c.headers...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := sadb.Flow{Source: netip.MustParseAddr(host6A), Destination: netip.MustParseAddr(host6B), Protocol: protocolUDP,
			SourcePort: 1000, DestinationPort: 2000}
		if c.hidden {
			want.SourcePort, want.DestinationPort, want.PortsHidden = 0, 0, true
		}
		if p.flow != want || p.headerLen != header6Len+8*len(c.headers) || p.routedLen != header6Len+c.routed {
			t.Errorf("%s: %v, %d octets, %d of them in front of ESP", c.name, p.flow, p.headerLen, p.routedLen)
		}
		if p.fragment != (c.name == "first fragment" || c.name == "later fragment") {
			t.Errorf("%s: fragment %v", c.name, p.fragment)
		}
	}
	later, err := parse(with(plain, fragmentHeader(64, true, 1), destinationOptions()))
	if err != nil || !later.flow.ProtocolHidden || !later.flow.PortsHidden {
		t.Errorf("a later fragment of what begins with destination options: %+v, %v", later.flow, err)
	}
}

func TestMalformed6(t *testing.T) {
	good := udp6(t, host6A, host6B, 20)
	set := func(at int, v byte) []byte {
		p := bytes.Clone(good)
		p[at] = v
		return p
	}
	many := make([][]byte, maxExtensions+1)
	for i := range many {
		many[i] = routing()
	}
	long := routing()
	long[2] = 200
	for name, c := range map[string]struct {
		packet []byte
		want   error
	}{
		"short":                     {good[:39], errHeader},
		"payload length":            {set(off6Length, 255), errLength},
		"extension beyond the end":  {with(good, long), errExtension},
		"nothing behind":            {with(wrap6(t, host6A, host6B, extRouting, nil)), errExtension},
		"hop-by-hop second":         {with(good, routing(), hopByHop()), errExtension},
		"two Fragment headers":      {with(good, fragmentHeader(0, false, 1), fragmentHeader(0, false, 1)), errExtension},
		"too many":                  {with(good, many...), errExtensions},
		"first fragment cut inside": {with(wrap6(t, host6A, host6B, extRouting, nil), fragmentHeader(0, true, 1)), errExtension},
		"fragment beyond the end":   {with(udp6(t, host6A, host6B, 100), fragmentHeader(65528, false, 1)), errOffset},
	} {
		if _, err := parse(c.packet); !errors.Is(err, c.want) || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	whole := with(good, hopByHop(), destinationOptions(), routing(), fragmentHeader(0, true, 1), destinationOptions())
	for n := range whole {
		if _, err := parse(whole[:n]); err == nil {
			t.Errorf("%d octets of %d were parsed", n, len(whole))
		}
		body := wrap6(t, host6B, host6A, protocolICMPv6, append([]byte{3, 0, 0, 0, 0, 0, 0, 0}, whole[:n]...))
		p, err := parse(body)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := p.quoted(); ok != (n >= header6Len) || ok && f.Source.String() != host6A {
			t.Errorf("%d octets quoted: %v, %v", n, f, ok)
		}
	}
	if p, err := parse(append(bytes.Clone(good), 1, 2, 3)); err != nil || len(p.bytes) != len(good) {
		t.Errorf("what follows the packet: %v", err)
	}
}

func TestThereAndBack6(t *testing.T) {
	for _, sa := range []policy.TrafficSA{gcm6(1), func() policy.TrafficSA { s := cbcSA(1); s.Selector = anySix; return s }()} {
		a, b := newGateway(t, gatewayA, dual, sa), newGateway(t, gatewayB, dual, sa)
		for n := range 40 {
			packet := udp6(t, host6A, host6B, n)
			outer := one6(t, a, core.Inside, packet, core.Outside)
			ip := decode6(t, outer)
			if ip.SrcIP.String() != host6A || ip.DstIP.String() != host6B || ip.NextHeader != layers.IPProtocolESP {
				t.Fatalf("outer header %+v", ip)
			}
			if inner := one6(t, b, core.Outside, outer, core.Inside); !bytes.Equal(inner, packet) {
				t.Errorf("%d octets: came out as\n%x, was\n%x", n, inner, packet)
			}
		}
	}
}

// one6 expects exactly one IPv6 packet, to that side.
func one6(t testing.TB, g *Gateway, from core.Side, packet []byte, to core.Side) []byte {
	t.Helper()
	out, err := handle(g, at(1), from, packet)
	if err != nil || len(out) != 1 || out[0].to != to {
		t.Fatalf("%d packets %+v, error %v; want one to the %v", len(out), out, err, to)
	}
	if int(decode6(t, out[0].bytes).Length) != len(out[0].bytes)-header6Len {
		t.Fatalf("wrong length in %x", out[0].bytes)
	}
	return out[0].bytes
}

func TestOuterHeader6(t *testing.T) {
	plain := func(b []byte) []byte { return b }
	for _, c := range []struct {
		name   string
		alter  func([]byte) []byte
		mutant string
		is     func(*layers.IPv6) bool
	}{
		{"flow label", plain, "gateway.outer.flowlabel", func(o *layers.IPv6) bool { return o.FlowLabel == 0 }},
		{"hop limit", plain, "gateway.outer.ttl", func(o *layers.IPv6) bool { return o.HopLimit == 64 }},
		{"source", plain, "gateway.outer.source", func(o *layers.IPv6) bool { return o.SrcIP.String() == host6A }},
		{"destination", plain, "gateway.outer.destination", func(o *layers.IPv6) bool { return o.DstIP.String() == host6B }},
		{"DSCP", func(b []byte) []byte { b[0], b[1] = 0x6b, b[1]&0x0f|0x80; return b }, "gateway.outer.dscp",
			func(o *layers.IPv6) bool { return o.TrafficClass == 46<<2 }},
		{"ECN", func(b []byte) []byte { b[1] = b[1]&0x0f | 0x20; return b }, "gateway.outer.ecn",
			func(o *layers.IPv6) bool { return o.TrafficClass == 2 }},
		{"extension headers", func(b []byte) []byte { return with(b, hopByHop(), routing()) }, "gateway.outer.options",
			func(o *layers.IPv6) bool { return o.NextHeader == layers.IPProtocolESP }},
	} {
		t.Run(c.name, func(t *testing.T) {
			packet := c.alter(udp6(t, host6A, host6B, 40))
			outer := one6(t, newGateway(t, gatewayA, dual, gcm6(1)), core.Inside, packet, core.Outside)
			if !c.is(decode6(t, outer)) {
				t.Errorf("outer header %+v", decode6(t, outer))
			}
			if inner := one6(t, newGateway(t, gatewayB, dual, gcm6(1)), core.Outside, outer, core.Inside); !bytes.Equal(inner, packet) {
				t.Errorf("the inner packet came out as %x, was %x", inner, packet)
			}
			wrong := newGateway(t, gatewayA, dualWith(mutant(t, c.mutant, "broken")), gcm6(1))
			if out := one6(t, wrong, core.Inside, packet, core.Outside); c.is(decode6(t, out)) {
				t.Errorf("the outer header of the mutant is right: %+v", decode6(t, out))
			}
		})
	}
}

func TestHopLimitAndCongestion6(t *testing.T) {
	forwarding := dualWith(func(c *Config) { c.Forwarding = true })
	a, b := newGateway(t, gatewayA, forwarding, gcm6(1)), newGateway(t, gatewayB, forwarding, gcm6(1))
	outer := one6(t, a, core.Inside, udp6(t, host6A, host6B, 10, func(ip *layers.IPv6) { ip.TrafficClass = 2 }), core.Outside)
	outer[1] |= 0x30 // congestion
	inner := decode6(t, one6(t, b, core.Outside, outer, core.Inside))
	if inner.HopLimit != 15 || inner.TrafficClass != 3 || inner.FlowLabel != 0x12345 {
		t.Errorf("inner header %+v", inner)
	}
	refuses(t, a, at(1), core.Inside, udp6(t, host6A, host6B, 10, func(ip *layers.IPv6) { ip.HopLimit = 1 }), guardTTL)
}

func TestTooBig6(t *testing.T) {
	for _, c := range []struct {
		mtu, next int
	}{{1500, 1426}, {1400, 1326}, {1340, 1280}} {
		a := newGateway(t, gatewayA, dualWith(mtu(c.mtu)), gcm6(1))
		if c.mtu > 1340 {
			one6(t, a, core.Inside, udp6(t, host6A, host6B, c.next-48), core.Outside)
		}
		big := udp6(t, host6A, host6B, c.next-47)
		answer := one6(t, a, core.Inside, big, core.Inside)
		ip := decode6(t, answer)
		p := gopacket.NewPacket(answer, layers.LayerTypeIPv6, gopacket.Default)
		icmp, ok := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6)
		if !ok || icmp.TypeCode.Type() != layers.ICMPv6TypePacketTooBig || ip.SrcIP.String() != gateway6A || ip.DstIP.String() != host6A {
			t.Fatalf("answer %v", p)
		}
		if got := binary.BigEndian.Uint32(icmp.Payload); got != uint32(c.next) || !bytes.HasPrefix(big, icmp.Payload[4:]) || len(answer) > 1280 {
			t.Errorf("MTU %d: %d in %d octets", c.mtu, got, len(answer))
		}
		if checksum6(answer) != 0 {
			t.Error("wrong checksum")
		}
		refuses(t, newGateway(t, gatewayA, dualWith(mutant(t, "gateway.pmtu.icmpv6", "broken")), gcm6(1)), at(1), core.Inside,
			udp6(t, host6A, host6B, 1452), nil)
	}
	// Who has no address of IPv6 cannot tell; ICMP errors are not answered; an IPv6 group is.
	for name, packet := range map[string][]byte{
		"error":          wrap6(t, host6A, host6B, protocolICMPv6, append([]byte{1}, someBody(1450)...)),
		"later fragment": with(udp6(t, host6A, host6B, 1400), fragmentHeader(64, false, 1)),
		"link":           udp6(t, "::", host6B, 1452),
	} {
		g := newGateway(t, gatewayA, dual, policy.TrafficSA{SPI: 1, Selector: policy.Selector{}, Lifetime: gcmSA(1).Lifetime,
			Transform: gcmSA(1).Transform, CipherKey: gcmSA(1).CipherKey})
		if out, err := handle(g, at(1), core.Inside, packet); len(out) != 0 || err != nil {
			t.Errorf("%s: %d packets, %v", name, len(out), err)
		}
	}
	group := gcm6(1)
	group.Selector.Destination = mustPrefix("ff15::/16")
	one6(t, newGateway(t, gatewayA, dual, group), core.Inside, udp6(t, host6A, "ff15::1", 1452), core.Inside)
}

// A packet of 1280 octets gets through whatever the link, in fragments of the packet around it.
func TestLeastMTU6(t *testing.T) {
	for _, preserve := range []policy.Preservation{policy.PreserveBoth, policy.PreserveDestination} {
		sa := gcm6(1)
		sa.Transform.Preservation = preserve
		a, b := newGateway(t, gatewayA, dualWith(mtu(1300)), sa), newGateway(t, gatewayB, dual, sa)
		packet := udp6(t, host6A, host6B, 1280-48)
		out, err := handle(a, at(1), core.Inside, packet)
		if err != nil || len(out) != 2 {
			t.Fatalf("%d packets, %v", len(out), err)
		}
		for i, o := range out {
			p := gopacket.NewPacket(o.bytes, layers.LayerTypeIPv6, gopacket.Default)
			f, ok := p.Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment)
			if !ok || len(o.bytes) > 1300 || f.MoreFragments != (i == 0) || f.NextHeader != layers.IPProtocolESP {
				t.Errorf("piece %d: %v", i, p)
			}
		}
		for i := range out { // in either order
			if got, err := handle(b, at(1), core.Outside, out[i].bytes); len(got) != 0 || err != nil {
				t.Fatalf("one piece gave %v, %v", got, err)
			}
			if got := one6(t, b, core.Outside, out[1-i].bytes, core.Inside); !bytes.Equal(got, packet) {
				t.Error("put together, another packet comes out")
			}
		}
	}
}

func TestFragment6(t *testing.T) {
	for _, packet := range [][]byte{
		udp6(t, host6A, host6B, 3000),
		with(udp6(t, host6A, host6B, 3000), hopByHop(), routing()),
		with(udp6(t, host6A, host6B, 3000), fragmentHeader(0, false, 9)),
	} {
		var r reassembler
		var whole []byte
		pieces := 0
		err := fragment6(packet, 1280, 77, func(piece []byte) error {
			pieces++
			if len(piece) > 1280 {
				t.Errorf("%d octets", len(piece))
			}
			p, err := parse(bytes.Clone(piece))
			if err != nil || !p.fragment {
				t.Fatalf("piece %x: %v", piece, err)
			}
			whole, _, err = r.add(t0, &p)
			return err
		})
		want, _ := parse(packet)
		got, failed := parse(whole)
		if err != nil || failed != nil || pieces != 3 || got.flow != want.flow || !bytes.Equal(got.body(), want.body()) {
			t.Errorf("%d pieces, %v, %v: %v", pieces, err, failed, got.flow)
		}
	}
	if err := fragment6(udp6(t, host6A, host6B, 100), 50, 1, func([]byte) error { return nil }); !errors.Is(err, errTooLong) {
		t.Errorf("no room: %v", err)
	}
}

func TestLinkTrafficStaysOnTheLink(t *testing.T) {
	everything := gcm6(1)
	everything.Selector = policy.Selector{}
	for name, packet := range map[string][]byte{
		"router solicitation":    wrap6(t, "fe80::1", "ff02::2", protocolICMPv6, []byte{133, 0, 0, 0, 0, 0, 0, 0}),
		"neighbour solicitation": wrap6(t, host6A, host6B, protocolICMPv6, []byte{135, 0, 0, 0, 0, 0, 0, 0}),
		"redirect":               wrap6(t, "fe80::1", host6B, protocolICMPv6, []byte{137, 0, 0, 0, 0, 0, 0, 0}),
		"listener report":        with(wrap6(t, "::", "ff02::16", protocolICMPv6, []byte{143, 0, 0, 0, 0, 0, 0, 0}), hopByHop()),
		"link-local source":      udp6(t, "fe80::1", host6B, 10),
		"link-local destination": udp6(t, host6A, "fe80::2", 10),
		"interface-local":        udp6(t, host6A, "ff01::1", 10),
	} {
		for _, side := range []core.Side{core.Inside, core.Outside} {
			g := newGateway(t, gatewayA, dual, everything)
			if out, err := handle(g, at(1), side, packet); len(out) != 0 || err != nil || g.counts != (counters{}) {
				t.Errorf("%s from %v: %d packets, %v, %+v", name, side, len(out), err, g.counts)
			}
		}
	}
	echo := wrap6(t, host6A, host6B, protocolICMPv6, []byte{128, 0, 0, 0, 0, 0, 0, 0})
	one6(t, newGateway(t, gatewayA, dual, everything), core.Inside, echo, core.Outside)
}

func TestKeyManagementPasses6(t *testing.T) {
	everything := gcm6(1)
	everything.Selector = policy.Selector{}
	key := func(src, dst string) []byte {
		p := udp6(t, src, dst, 10)
		binary.BigEndian.PutUint16(p[header6Len:], portGDOI)
		return p
	}
	primary := func(c *Config) {
		c.Address, c.Addresses = netip.MustParseAddr(gateway6A), []netip.Addr{netip.MustParseAddr(gatewayA)}
	}
	for _, alter := range []func(*Config){dual, primary} {
		cfg := config(gatewayA)
		alter(&cfg)
		g := alone(cfg)
		if err := g.groups[0].Install(t0, []policy.TrafficSA{everything}, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{1}}, false); err != nil {
			t.Fatal(err)
		}
		out := one6(t, g, core.Inside, key(gateway6A, "2001:db8:ff::100"), core.Outside)
		if decode6(t, out).NextHeader != layers.IPProtocolUDP {
			t.Error("the gateway's own key management is protected")
		}
		one6(t, g, core.Outside, key("2001:db8:ff::100", gateway6A), core.Inside)
		out = one6(t, g, core.Inside, key(host6A, "2001:db8:ff::100"), core.Outside)
		if decode6(t, out).NextHeader != layers.IPProtocolESP {
			t.Error("that of a host is not")
		}
		one(t, g, at(1), core.Inside, udpPorts(t, gatewayA, "192.0.2.100", 848, 848, 10), core.Outside)
	}
}

func TestHiddenProtocolIsNotLeaked(t *testing.T) {
	sa := gcm6(1)
	sa.Selector.Protocol = protocolUDP
	g := newGateway(t, gatewayA, dual, sa)
	later := with(udp6(t, host6A, host6B, 40), fragmentHeader(64, false, 1), destinationOptions())
	refuses(t, g, at(1), core.Inside, later, guardClosed)
	one6(t, newGateway(t, gatewayA, dual, gcm6(1)), core.Inside, later, core.Outside)
}

// Addresses are preserved only within one IP version; without preservation a tunnel may be of the other.
func TestVersions(t *testing.T) {
	var v *rule.Violation
	for _, c := range []struct {
		preserve policy.Preservation
		accepted bool
	}{{policy.PreserveAbsent, false}, {policy.PreserveBoth, false}, {policy.PreserveSource, false}, {policy.PreserveDestination, false},
		{policy.PreserveNone, true}} {
		sa := gcm6(1)
		sa.Transform.Preservation = c.preserve
		g := alone(config(gatewayA))
		err := g.groups[0].Install(t0, []policy.TrafficSA{sa}, policy.Activation{}, nil, false)
		if (err == nil) != c.accepted || !c.accepted && (!errors.As(err, &v) || v.Guard != guardVersion) {
			t.Errorf("preservation %d: %v", c.preserve, err)
		}
		f := sadb.Flow{Source: netip.MustParseAddr(host6A), Destination: netip.MustParseAddr(host6B)}
		g.groups[0].Forget()
		if !g.Protects(f) {
			t.Errorf("preservation %d: its flows may leave in clear", c.preserve)
		}
		off := newGatewayOf(t, mutant(t, "gateway.install.version", "off"))
		if err := off.groups[0].Install(t0, []policy.TrafficSA{sa}, policy.Activation{}, nil, false); err != nil {
			t.Errorf("mutant: %v", err)
		}
	}
}

func newGatewayOf(t testing.TB, alter func(*Config)) *Gateway { return newGateway(t, gatewayA, alter) }

func TestOtherVersionAround(t *testing.T) {
	peers := func(c *Config) {
		dual(c)
		c.Peers = []policy.TunnelPeer{
			{Network: mustPrefix("2001:db8:2::/48"), Gateway: netip.MustParseAddr(gatewayB)},
			{Network: mustPrefix("10.2.0.0/16"), Gateway: netip.MustParseAddr(gateway6B)},
		}
	}
	six, four := gcm6(1), gcmSA(2)
	four.CipherKey = []byte("fedcba9876543210SALT")
	six.Transform.Preservation, four.Transform.Preservation = policy.PreserveNone, policy.PreserveNone
	a, b := newGateway(t, gatewayA, peers, six, four), newGateway(t, gatewayB, dual, six, four)

	packet := udp6(t, host6A, host6B, 30)
	outer := one(t, a, at(1), core.Inside, packet, core.Outside)
	if ip := decode(t, outer); ip.SrcIP.String() != gatewayA || ip.DstIP.String() != gatewayB {
		t.Errorf("IPv6 in IPv4: %+v", ip)
	}
	if inner := one6(t, b, core.Outside, outer, core.Inside); !bytes.Equal(inner, packet) {
		t.Errorf("IPv6 in IPv4: %x", inner)
	}

	packet = udp(t, hostA, hostB, 30, dontFragment)
	outer = one6(t, a, core.Inside, packet, core.Outside)
	if ip := decode6(t, outer); ip.SrcIP.String() != gateway6A || ip.DstIP.String() != gateway6B {
		t.Errorf("IPv4 in IPv6: %+v", ip)
	}
	if inner := one(t, b, at(1), core.Outside, outer, core.Inside); !bytes.Equal(inner, packet) {
		t.Errorf("IPv4 in IPv6: %x", inner)
	}

	// With the source preserved a peer of the other version is none.
	six.Transform.Preservation = policy.PreserveSource
	a = newGateway(t, gatewayA, peers, six)
	if out, err := handle(a, at(1), core.Inside, udp6(t, host6A, host6B, 30)); !errors.Is(err, ErrNoPeer) || len(out) != 0 {
		t.Errorf("%d packets, %v", len(out), err)
	}
	// And without an address of the peer's version there is no source.
	alone := func(c *Config) { peers(c); c.Addresses = nil }
	if out, err := handle(newGateway(t, gatewayA, alone, four), at(1), core.Inside, udp(t, hostA, hostB, 30)); !errors.Is(err, ErrNoAddress) || len(out) != 0 {
		t.Errorf("%d packets, %v", len(out), err)
	}
}

func TestQuoted6(t *testing.T) {
	secret := udp6(t, host6B, host6A, 100)
	unreachable := wrap6(t, "2001:db9::1", "2001:db9::2", protocolICMPv6, append([]byte{1, 3, 0, 0, 0, 0, 0, 0}, secret...))
	g := newGateway(t, gatewayA, dual, gcm6(1))
	refuses(t, g, at(1), core.Inside, unreachable, guardClosed)
	echo := bytes.Clone(unreachable)
	echo[header6Len] = 128
	one6(t, g, core.Inside, echo, core.Outside)
	cut := wrap6(t, "2001:db9::1", "2001:db9::2", protocolICMPv6, append([]byte{1, 3, 0, 0, 0, 0, 0, 0}, with(secret, routing())[:44]...))
	refuses(t, g, at(1), core.Inside, cut, guardClosed)
}

func TestInnerVersionIsThatOfNextHeader(t *testing.T) {
	sa := gcmSA(1)
	sa.Selector = policy.Selector{}
	s, err := esp.New(sa, esp.Options{HasSID: true, SID: 7, SIDBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	body, err := s.Seal(nil, udp6(t, host6A, host6B, 10), protocolIPv4)
	if err != nil {
		t.Fatal(err)
	}
	refuses(t, newGateway(t, gatewayB, dual, sa), at(1), core.Outside, wrap6(t, host6A, host6B, protocolESP, body), guardNext)
}
