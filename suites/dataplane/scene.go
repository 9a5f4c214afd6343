package dataplane

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// h1 is the host behind the device, h2 the one behind the other member.
var (
	h1 = lab.HostAddr(1)
	h2 = lab.HostAddr(2)
)

// scene is the device with the host behind it, and the group's keys in the tester's hands.
type scene struct {
	*lab.Lab
	ctx     SpecContext
	packets int
	control func() lab.IPv4            // makes the inner packets of honest ESP packets
	keys    map[string]*tester.ESPKeys // by SPI; they are kept so that forged packets go on counting
}

// device has the key server and the device run, and the device be registered. The other member does not run.
func device(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	s := stage(ctx, setup)
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	return s
}

// stage builds the network; no node runs.
func stage(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	setup.Members, setup.Hosts = 2, true
	s := &scene{Lab: kit.Lab(ctx, setup), ctx: ctx, keys: make(map[string]*tester.ESPKeys)}
	s.control = s.back
	return s
}

// pair has both members run and be registered.
func pair(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	s := stage(ctx, setup)
	kit.Precondition(s.Up(ctx), "every member registers")
	return s
}

// withTransform has the group use that transform.
func withTransform(t policy.Transform) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].Transform = t }
}

// packet makes an ICMP packet that its receiver takes no notice of, with contents that no other has. It is from h1 to h2.
func (s *scene) packet() lab.IPv4 {
	icmp := append(make([]byte, 8), s.mark()...)
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: h1, Destination: h2, Protocol: 1, TTL: 64, ID: uint16(s.packets), Payload: icmp}
}

// back makes a packet from h2 to h1.
func (s *scene) back() lab.IPv4 {
	p := s.packet()
	p.Source, p.Destination = p.Destination, p.Source
	return p
}

// udp makes a packet like packet with those ports. Its checksum is wrong, so that a host takes no notice of it either.
func (s *scene) udp(from, to uint16) lab.IPv4 {
	p := s.packet()
	p.Protocol, p.Payload = 17, s.ports(from, to)
	binary.BigEndian.PutUint16(p.Payload[4:], uint16(len(p.Payload)))
	p.Payload[6] = 0xbd
	return p
}

// tcp makes a packet like packet that looks like a TCP segment. Its checksum is wrong, as in udp.
func (s *scene) tcp(from, to uint16) lab.IPv4 {
	p := s.packet()
	p.Protocol, p.Payload = 6, slicesOf(20, s.ports(from, to))
	p.Payload[12] = 5 << 4
	return p
}

func (s *scene) ports(from, to uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	return append(append(b, make([]byte, 4)...), s.mark()...)
}

// slicesOf puts the contents of a header of eight octets behind one of n.
func slicesOf(n int, b []byte) []byte {
	return append(append(b[:8:8], make([]byte, n-8)...), b[8:]...)
}

// mark is eight octets that stand in one packet only.
func (s *scene) mark() []byte {
	s.packets++
	return fmt.Appendf(nil, "mark%04d", s.packets)
}

// sized gives a packet so many octets altogether.
func sized(p lab.IPv4, octets int) lab.IPv4 {
	if missing := octets - len(p.Bytes()); missing > 0 {
		p.Payload = append(bytes.Clone(p.Payload), make([]byte, missing)...)
	}
	if p.Protocol == 1 {
		p.Payload[2], p.Payload[3] = 0, 0
		binary.BigEndian.PutUint16(p.Payload[2:], lab.Checksum(p.Payload))
	}
	return p
}

// same reports whether two packets are the same one, however often it was forwarded.
func same(a, b lab.IPv4) bool {
	return a.Source == b.Source && a.Destination == b.Destination && a.Protocol == b.Protocol && bytes.Equal(a.Payload, b.Payload)
}

// sent is a packet of hosts as it crosses the WAN.
type sent struct {
	Outer lab.IPv4
	Size  int                // of the longest IP packet that carried it
	ESP   *tester.ESPContent // nil: in clear
	Inner lab.IPv4           // the host's packet
}

// onWAN returns the packets of hosts that crossed the WAN since the mark. ESP that the group's keys do not open ends the spec
// as failed.
func (s *scene) onWAN(m kit.Mark) []sent {
	GinkgoHelper()
	var all []sent
	var parts lab.Reassembler
	size := 0
	for _, f := range kit.WANSince(s.Lab, m) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || !lab.Protected.Contains(ip.Source) && !lab.Protected.Contains(ip.Destination) && ip.Protocol != lab.ProtocolESP {
			continue
		}
		size = max(size, len(f.Packet))
		if ip.Protocol == lab.ProtocolESP {
			if ip, ok = parts.Add(ip); !ok {
				continue
			}
		}
		p, err := s.open(ip)
		Expect(err).NotTo(HaveOccurred(), "what crosses the WAN can be opened with the group's keys")
		p.Size, size = size, 0
		all = append(all, p)
	}
	return all
}

// out is onWAN without what came from the other member.
func (s *scene) out(m kit.Mark) []sent {
	GinkgoHelper()
	return slices.DeleteFunc(s.onWAN(m), func(p sent) bool { return p.Inner.Source == h2 })
}

// open reads a whole packet of the WAN.
func (s *scene) open(outer lab.IPv4) (sent, error) {
	if outer.Protocol != lab.ProtocolESP {
		return sent{Outer: outer, Inner: outer}, nil
	}
	keys := s.keysOf(kit.SPI(binary.BigEndian.Uint32(append(outer.Payload[:len(outer.Payload):len(outer.Payload)], 0, 0, 0, 0))))
	if keys == nil {
		return sent{Outer: outer}, fmt.Errorf("no keys for ESP %x", outer.Payload[:min(8, len(outer.Payload))])
	}
	content, err := keys.Open(outer.Bytes())
	if err != nil {
		return sent{Outer: outer}, err
	}
	inner, ok := lab.ParseIPv4(content.Inner)
	if !ok || content.Next != nextIPv4 { // transport mode
		inner = outer
		inner.Protocol, inner.Payload = content.Next, content.Inner
	}
	return sent{Outer: outer, ESP: &content, Inner: inner}, nil
}

// nextIPv4 is the Next Header of a packet in tunnel mode (RFC 4303 §2.6).
const nextIPv4 = 4

// keysOf finds the keys of an SPI, nil if there are none. The key server draws SPIs at random, so none comes twice.
func (s *scene) keysOf(spi string) *tester.ESPKeys {
	GinkgoHelper()
	if s.keys[spi] != nil {
		return s.keys[spi]
	}
	kit.NeedsKeys(s.Lab)
	for _, k := range s.Keys() {
		if k.Kind == keylog.KindTraffic && s.keys[k.SPI] == nil {
			keys, err := tester.NewESPKeys(k)
			kit.Precondition(err, "the tester has the group's keys")
			s.keys[k.SPI] = keys
		}
	}
	return s.keys[spi]
}

// group is the SA that the key server handed out last, for forging its packets.
func (s *scene) group() *tester.ESPKeys {
	GinkgoHelper()
	return s.sa("")
}

// sa is the SA of that SPI, or the last one if it is "".
func (s *scene) sa(spi string) *tester.ESPKeys {
	GinkgoHelper()
	if spis := s.spis(); spi == "" && len(spis) > 0 {
		spi = spis[len(spis)-1]
	}
	found := s.keysOf(spi)
	kit.Reached(found != nil, "the key server has keys for traffic")
	return found
}

// spis are the SPIs that the key server handed out, in the order of its policy.
func (s *scene) spis() (spis []string) {
	for _, k := range s.KS.Keys() {
		if k.Kind == keylog.KindTraffic {
			spis = append(spis, k.SPI)
		}
	}
	return spis
}

// send has h1 send packets.
func (s *scene) send(packets ...lab.IPv4) {
	GinkgoHelper()
	for _, p := range packets {
		kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	}
}

// leaves has h1 send packets, of which the last must leave, and returns what crosses the WAN for all of them.
func (s *scene) leaves(packets ...lab.IPv4) []sent {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	s.send(packets...)
	last := packets[len(packets)-1]
	Expect(s.Wait(s.ctx, lab.Patience, func() bool { return find(s.onWAN(before), last) != nil })).
		To(BeTrue(), "the last of %d packets leaves the device", len(packets))
	return s.onWAN(before)
}

// leaves1 has h1 send one packet, which must leave, and returns how.
func (s *scene) leaves1(p lab.IPv4) sent {
	GinkgoHelper()
	return *find(s.leaves(p), p)
}

// find returns the first of the packets that is the same as p, or nil.
func find(all []sent, p lab.IPv4) *sent {
	for i := range all {
		if same(all[i].Inner, p) {
			return &all[i]
		}
	}
	return nil
}

// onLAN returns the packets that the device delivered to its LAN since the mark.
func (s *scene) onLAN(m kit.Mark) []lab.IPv4 { return s.onLANOf(1, m) }

func (s *scene) onLANOf(member int, m kit.Mark) []lab.IPv4 {
	var all []lab.IPv4
	for _, f := range s.Frames()[m:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(member) && ip.Source != lab.HostAddr(member) {
			all = append(all, ip)
		}
	}
	return all
}

// arrived returns the packet as it was delivered, or nil.
func arrived(lan []lab.IPv4, p lab.IPv4) *lab.IPv4 {
	for i := range lan {
		if same(lan[i], p) {
			return &lan[i]
		}
	}
	return nil
}

// inject puts packets on the WAN as if the other member had sent them.
func (s *scene) inject(packets ...[]byte) {
	for _, p := range packets {
		s.Inject(lab.MemberName(2), p)
	}
}

// takes puts a packet of the group on the WAN and returns it as the host gets it, nil if it does not within a little while.
func (s *scene) takes(inner lab.IPv4, packet ...[]byte) (got *lab.IPv4) {
	before := kit.Now(s.Lab)
	s.inject(packet...)
	s.Wait(s.ctx, lab.Patience, func() bool {
		got = arrived(s.onLAN(before), inner)
		return got != nil
	})
	return got
}

// honest puts an honest packet on the WAN and reports whether the host gets it.
func (s *scene) honest() bool {
	GinkgoHelper()
	inner := s.control()
	return s.takes(inner, s.group().Packet(inner.Bytes())) != nil
}

// drops has the device get forged packets and then an honest one. Only that may reach the host, nobody gets an answer, and
// the device says that it refused the others for the requirement, unless that is "".
func (s *scene) drops(id rule.ID, forged ...[]byte) {
	GinkgoHelper()
	before, refused := kit.Now(s.Lab), kit.Refused(s.ctx, s.GM[0], id)
	s.inject(forged...)
	kit.Control(s.honest(), "an honest packet right behind is delivered")
	Expect(s.onLAN(before)).To(HaveLen(1), "only the honest packet is delivered")
	Expect(s.answers(before)).To(BeEmpty(), "the device answers nobody")
	if id != "" {
		kit.ExpectRefused(s.ctx, s.GM[0], id, Equal(refused+uint64(len(forged))), "the device counts what it refused for %s", id)
	}
}

// answers returns the packets that left the device since the mark.
func (s *scene) answers(m kit.Mark) []lab.IPv4 {
	var all []lab.IPv4
	for _, f := range kit.WANSince(s.Lab, m) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if ok && (ip.Source == lab.MemberAddr(1) || ip.Source == h1) {
			all = append(all, ip)
		}
	}
	return all
}
