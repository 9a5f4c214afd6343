package natt

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The protocols of packets that hosts exchange here.
const protocolICMP, protocolTCP, protocolUDP = 1, 6, 17

// h1 is the host behind the device, h2 the one behind the other member.
var h1, h2 = lab.HostAddr(1), lab.HostAddr(2)

// translated is where a NAT has the sender of ESP in UDP: another address, and a port that it chose.
var translated = netip.AddrPortFrom(lab.NATAddr, 40123)

// inUDP is open for a group whose traffic travels in UDP in that mode.
func inUDP(mode policy.Mode, keep policy.Preservation) lab.Setup {
	s := open()
	usual := s.Member
	s.Hosts = true
	s.Group = func(g *policy.Group) {
		kit.Acknowledging(g)
		g.SAs[0].Transform.Mode, g.SAs[0].Transform.Preservation = mode, keep
	}
	s.Member = func(i int, c *policy.Member) {
		usual(i, c)
		c.DataPath.Transport = mode.Transports()
		if keep == policy.PreserveNone {
			c.DataPath.Peers = peers
		}
	}
	return s
}

// inTunnel is inUDP in tunnel mode with the hosts' addresses preserved.
func inTunnel() lab.Setup { return inUDP(policy.ModeUDPTunnel, policy.PreserveBoth) }

// betweenGateways is inUDP in tunnel mode between the members' own addresses.
func betweenGateways() lab.Setup { return inUDP(policy.ModeUDPTunnel, policy.PreserveNone) }

// inTransport is inUDP in transport mode, for packets from anywhere: what a NAT makes of their source is no address of the group's.
func inTransport() lab.Setup {
	s := inUDP(policy.ModeUDPTransport, policy.PreserveAbsent)
	usual := s.Group
	s.Group = func(g *policy.Group) {
		usual(g)
		g.SAs[0].Selector.Source = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return s
}

// way is how ESP in UDP comes to the device.
type way struct {
	setup lab.Setup
	outer []tester.ESPOption // its addresses
}

// ways are to the host's own address, which the device forwards, and to the device's, which its socket gets.
var ways = []way{{setup: inTunnel()}, throughNAT}

// throughNAT is the way that a NAT may be on: the addresses outside are not those inside.
var throughNAT = way{betweenGateways(), []tester.ESPOption{tester.OuterSource(lab.MemberAddr(2)), tester.OuterDestination(lab.MemberAddr(1))}}

// route are the options for a packet that goes this way.
func (w way) route(options ...tester.ESPOption) []tester.ESPOption {
	return append(slices.Clone(w.outer), options...)
}

// peers are the members in front of the hosts, of both IP versions.
var peers = []policy.TunnelPeer{
	{Network: lab.MemberLAN(1), Gateway: lab.MemberAddr(1)}, {Network: lab.MemberLAN(2), Gateway: lab.MemberAddr(2)},
	{Network: lab.MemberLAN6(1), Gateway: lab.MemberAddr6(1)}, {Network: lab.MemberLAN6(2), Gateway: lab.MemberAddr6(2)},
}

// traffic is a device with a host behind it, another host that never answers, and the group's keys in the tester's hands.
type traffic struct {
	*lab.Lab
	ctx    SpecContext
	keys   *tester.ESPKeys
	probes int
}

// device has the key server and the device run, and the device be registered. The other member does not run.
func device(ctx SpecContext, setup lab.Setup) *traffic {
	GinkgoHelper()
	s := &traffic{Lab: kit.Lab(ctx, setup), ctx: ctx}
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	kit.NeedsKeys(s.Lab)
	for _, k := range s.Keys() {
		if k.Kind == keylog.KindTraffic && s.keys == nil {
			var err error
			s.keys, err = tester.NewESPKeys(k)
			kit.Precondition(err, "the tester has the group's keys")
		}
	}
	kit.Reached(s.keys != nil, "somebody tells the group's keys")
	return s
}

// mark is eight octets that stand in one packet only.
func (s *traffic) mark() []byte {
	s.probes++
	return fmt.Appendf(nil, "mark%04d", s.probes)
}

// outward makes a packet from h1 to h2, of so many octets if that is more than it needs; its receiver takes no notice of it.
func (s *traffic) outward(octets int) lab.IPv4 {
	icmp := append(make([]byte, 8), s.mark()...)
	icmp = append(icmp, make([]byte, max(0, octets-20-len(icmp)))...)
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: h1, Destination: h2, Protocol: protocolICMP, TTL: 64, ID: uint16(s.probes), Payload: icmp}
}

// inward makes such a packet from h2 to h1.
func (s *traffic) inward() lab.IPv4 {
	p := s.outward(0)
	p.Source, p.Destination = p.Destination, p.Source
	return p
}

// segment makes a packet of TCP or UDP from h2 to h1 to a port where nobody listens. Its checksum is right.
func (s *traffic) segment(protocol uint8) lab.IPv4 {
	b := binary.BigEndian.AppendUint16(nil, 5000)
	b = binary.BigEndian.AppendUint16(b, 5001)
	if protocol == protocolTCP {
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 1, 5<<4, 4, 0, 0, 0, 0, 0, 0) // RST, which nobody answers
	} else {
		b = append(b, 0, 16, 0, 0)
	}
	p := lab.IPv4{Source: h2, Destination: h1, Protocol: protocol, TTL: 64, Payload: append(b, s.mark()...)}
	binary.BigEndian.PutUint16(p.Payload[sumAt(protocol):], sumOf(p.Packet()))
	return p
}

// sumAt is the place of the checksum in a TCP or UDP header.
func sumAt(protocol uint8) int {
	if protocol == protocolTCP {
		return 16
	}
	return 6
}

// sumOf is the checksum of a TCP or UDP packet over its pseudo-header too: 0 if the one in it is right, and if that is zero what it has
// to be.
func sumOf(p lab.Packet) uint16 {
	pseudo := slices.Concat(p.Source.AsSlice(), p.Destination.AsSlice(), []byte{0, p.Protocol})
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(p.Payload)))
	return lab.Checksum(append(pseudo, p.Payload...))
}

// inPacket makes a packet of the group's SA in transport mode.
func (s *traffic) inPacket(p lab.IPv4, options ...tester.ESPOption) []byte {
	options = append([]tester.ESPOption{tester.ESPInUDP(), tester.ESPNext(p.Protocol), tester.OuterSource(p.Source), tester.OuterDestination(p.Destination)}, options...)
	return s.keys.Packet(p.Payload, options...)
}

// delivered are the packets that came to h1 since the mark.
func (s *traffic) delivered(since kit.Mark) (all []lab.IPv4) {
	for _, f := range s.Frames()[since:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source != h1 {
			all = append(all, ip)
		}
	}
	return all
}

// takes puts packets on the WAN and returns the inner one as h1 gets it, nil if it does not within a little while. What is told by
// the end of the payload, which nothing on the way changes.
func (s *traffic) takes(inner lab.IPv4, packets ...[]byte) (got *lab.IPv4) {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	s.inject(packets...)
	end := string(inner.Payload[len(inner.Payload)-8:])
	s.Wait(s.ctx, lab.Patience, func() bool {
		for _, p := range s.delivered(since) {
			if len(p.Payload) == len(inner.Payload) && string(p.Payload[len(p.Payload)-8:]) == end {
				got = &p
			}
		}
		return got != nil
	})
	return got
}

// inject puts packets on the WAN as if the other member had sent them.
func (s *traffic) inject(packets ...[]byte) {
	for _, p := range packets {
		s.Inject(s.GM[1].Name(), p)
	}
}

// honest makes a packet of the group, and the packet inside.
func (s *traffic) honest(options ...tester.ESPOption) (inner lab.IPv4, packet []byte) {
	inner = s.inward()
	return inner, s.keys.Packet(inner.Bytes(), append([]tester.ESPOption{tester.ESPInUDP()}, options...)...)
}

// drops has the device get forged packets and then an honest one, which alone may reach the host.
func (s *traffic) drops(forged [][]byte, options ...tester.ESPOption) {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	s.inject(forged...)
	inner, packet := s.honest(options...)
	kit.Control(s.takes(inner, packet) != nil, "an honest packet right behind is delivered")
	Expect(s.delivered(since)).To(HaveLen(1), "only the honest packet is delivered")
}

// out is ESP in UDP as it crossed the WAN.
type out struct {
	outer    lab.Packet
	from, to netip.AddrPort
	checksum uint16
	esp      []byte
	size     int // of the longest IP packet that carried it
}

// sentInUDP are the packets of ESP in UDP that crossed the WAN since the mark, put together from fragments. Anything else between
// addresses of hosts ends the spec as failed.
func sentInUDP(l *lab.Lab, since kit.Mark) (all []out) {
	GinkgoHelper()
	var parts lab.Reassembler
	size := 0
	for _, f := range kit.WANSince(l, since) {
		size = max(size, len(f.Packet))
		ip, ok := parts.Complete(f.Packet)
		if !ok {
			continue
		}
		esp, carries := ip.ESP()
		hosts := lab.Protected.Contains(ip.Source) || lab.Protected6.Contains(ip.Source)
		if carries {
			from, to, _, isUDP := ip.UDP()
			Expect(isUDP).To(BeTrue(), "ESP from %s to %s is in UDP", ip.Source, ip.Destination)
			all = append(all, out{ip, from, to, binary.BigEndian.Uint16(ip.Payload[6:]), esp, size})
		} else {
			Expect(hosts).To(BeFalse(), "what crosses the WAN from %s to %s is ESP in UDP", ip.Source, ip.Destination)
		}
		size = 0
	}
	return all
}

// leaves has h1 send a packet, which must leave, and returns what crosses the WAN for it.
func (s *traffic) leaves(p lab.IPv4) []out {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	Expect(s.Wait(s.ctx, lab.Patience, func() bool { return slices.ContainsFunc(sentInUDP(s.Lab, since), s.holds(p)) })).
		To(BeTrue(), "the packet leaves the device, as ESP in UDP that the group's keys open")
	return sentInUDP(s.Lab, since)
}

// holds reports of what crossed the WAN whether a packet is in it, whole or its end.
func (s *traffic) holds(p lab.IPv4) func(out) bool {
	return func(o out) bool {
		content, err := s.keys.Open(lab.IPv4{Protocol: lab.ProtocolESP, Payload: o.esp}.Bytes())
		end := p.Payload[max(0, len(p.Payload)-8):]
		return err == nil && len(content.Inner) >= len(end) && string(content.Inner[len(content.Inner)-len(end):]) == string(end)
	}
}

// tooBig has h1 send a packet of so many octets with DF, and returns the MTU that it is told.
func (s *traffic) tooBig(octets int) int {
	GinkgoHelper()
	p := s.outward(octets)
	p.DontFragment = true
	since, told := kit.Now(s.Lab), 0
	kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		for _, ip := range s.delivered(since) {
			if ip.Protocol == protocolICMP && len(ip.Payload) > 8 && ip.Payload[0] == 3 && ip.Payload[1] == 4 {
				told = int(binary.BigEndian.Uint16(ip.Payload[6:]))
			}
		}
		return told > 0
	})).To(BeTrue(), "its sender is told")
	return told
}
