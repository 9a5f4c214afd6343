package natt

import (
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("ESP in UDP through a NAT and to a multicast group (RFC 3948, RFC 5374 §3.1)", kit.Subject("natt"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		sentence string
		sender   int // the member behind the NAT, whose host sends
	}{
		{"protects traffic so that it passes a NAT in front of it", 1},
		{"takes traffic of a member behind a NAT, which has given it another address and port", 2},
	} {
		It(c.sentence, kit.Requirement("RFC3948-2.1-01"), func(ctx SpecContext) {
			setup := betweenGateways()
			setup.Members, setup.NAT = 2, []int{c.sender}
			s := &traffic{Lab: kit.Lab(ctx, setup), ctx: ctx}
			kit.Precondition(s.Up(ctx), "every member registers")
			p, since := s.outward(0), kit.Now(s.Lab)
			if c.sender == 2 {
				p = s.inward()
			}
			kit.Precondition(s.Hosts[c.sender-1].Send(p.Bytes()), "the host sends")
			Expect(s.Wait(ctx, lab.Patience, func() bool { return s.reaches(3-c.sender, p, since) })).To(BeTrue(), "the other host gets it")
			own, outside := s.seen(lab.NATLink, since), s.seen("wan", since)
			Expect(own).To(Equal([][2]netip.AddrPort{{at(lab.MemberAddr(c.sender), port), at(lab.MemberAddr(3-c.sender), port)}}))
			Expect(outside).To(HaveLen(1))
			Expect(outside[0][0].Addr()).To(Equal(lab.NATAddr))
			Expect(outside[0][0].Port()).NotTo(BeEquivalentTo(port), "the port that the NAT has chosen")
		})
	}

	It("protects and takes traffic to a multicast group, whose address stays outside", kit.Requirement("RFC3948-2.1-01", "RFC5374-3.1-01"),
		kit.Needs(lab.NeedMulticast), func(ctx SpecContext) {
			setup := inTunnel()
			usual := setup.Group
			setup.Group = func(g *policy.Group) {
				usual(g)
				lab.Multicast(g) // so that the WAN brings the device what is sent there
				g.SAs[0].Selector.Destination = netip.PrefixFrom(lab.MulticastGroup, 32)
			}
			s := device(ctx, setup)
			p := s.outward(0)
			p.Destination = lab.MulticastGroup
			for _, o := range s.leaves(p) {
				Expect([]netip.AddrPort{o.from, o.to}).To(Equal([]netip.AddrPort{at(h1, port), at(lab.MulticastGroup, port)}))
			}
			inner := s.inward()
			inner.Destination = lab.MulticastGroup
			Expect(s.takes(inner, s.keys.Packet(inner.Bytes(), tester.ESPInUDP()))).NotTo(BeNil())
		})
})

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

// reaches reports whether a packet has come to the host behind a member since the mark.
func (s *traffic) reaches(member int, p lab.IPv4, since kit.Mark) bool {
	for _, f := range s.Frames()[since:] {
		ip, ok := lab.ParseIPv4(f.Packet)
		if ok && f.Link == lab.LANName(member) && ip.Source == p.Source && string(ip.Payload) == string(p.Payload) {
			return true
		}
	}
	return false
}

// seen are the ends of the ESP in UDP that crossed a link since the mark, without repetitions.
func (s *traffic) seen(link string, since kit.Mark) (ends [][2]netip.AddrPort) {
	for _, f := range s.Frames()[since:] {
		ip, ok := lab.ParseIPv4(f.Packet)
		_, esp := ip.Packet().ESP()
		if !ok || !esp || f.Link != link {
			continue
		}
		from, to, _, _ := ip.UDP()
		if both := [2]netip.AddrPort{from, to}; !slices.Contains(ends, both) {
			ends = append(ends, both)
		}
	}
	return ends
}
