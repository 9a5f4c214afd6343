package dataplane

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// selecting alters the selector of the group's SA.
func selecting(alter func(*policy.Selector)) func(*policy.Group) {
	return func(g *policy.Group) { alter(&g.SAs[0].Selector) }
}

// toPort5000 limits the group's SA to UDP and a destination port.
var toPort5000 = selecting(func(s *policy.Selector) { s.Protocol, s.DestinationPort = 17, 5000 })

// everything has the group protect every flow there is.
var everything = selecting(func(s *policy.Selector) {
	s.Source, s.Destination = netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("0.0.0.0/0")
})

var _ = Describe("Traffic selectors (RFC 6407 §5.5.1, RFC 4301 §5.2, §7)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	to := func(p lab.IPv4, a string) lab.IPv4 { p.Destination = netip.MustParseAddr(a); return p }
	from := func(p lab.IPv4, a string) lab.IPv4 { p.Source = netip.MustParseAddr(a); return p }

	for _, c := range []struct {
		name          string
		group         func(*policy.Group)
		inside, other func(s *scene) []lab.IPv4 // flows that the SA takes, and others
		ids           []string
	}{
		{"protects every protocol when the SA says protocol 0", func(*policy.Group) {},
			func(s *scene) []lab.IPv4 {
				gre := s.packet()
				gre.Protocol = 47
				return []lab.IPv4{s.packet(), s.udp(4000, 5000), s.tcp(4000, 5000), gre}
			}, nil, []string{"RFC6407-5.5.1-01"}},
		{"protects only UDP when the SA says protocol 17", selecting(func(s *policy.Selector) { s.Protocol = 17 }),
			func(s *scene) []lab.IPv4 { return []lab.IPv4{s.udp(1, 2)} },
			func(s *scene) []lab.IPv4 { return []lab.IPv4{s.packet(), s.tcp(1, 2)} }, []string{"RFC6407-5.5.1-01"}},
		{"protects every source port when the SA says source port 0", toPort5000,
			func(s *scene) []lab.IPv4 {
				return []lab.IPv4{s.udp(1, 5000), s.udp(1024, 5000), s.udp(65535, 5000)}
			}, nil, []string{"RFC6407-5.5.1-02"}},
		{"protects only the source port that the SA names",
			selecting(func(s *policy.Selector) { s.Protocol, s.SourcePort = 17, 6000 }),
			func(s *scene) []lab.IPv4 { return []lab.IPv4{s.udp(6000, 1), s.udp(6000, 65535)} },
			func(s *scene) []lab.IPv4 { return []lab.IPv4{s.udp(5999, 1), s.udp(1, 6000)} },
			[]string{"RFC6407-5.5.1-02", "RFC6407-5.5.1-03"}},
		{"protects every destination port when the SA says destination port 0",
			selecting(func(s *policy.Selector) { s.Protocol = 17 }),
			func(s *scene) []lab.IPv4 { return []lab.IPv4{s.udp(4000, 1), s.udp(4000, 1024), s.udp(4000, 65535)} }, nil,
			[]string{"RFC6407-5.5.1-03"}},
		{"protects only the destination port that the SA names", toPort5000,
			func(s *scene) []lab.IPv4 { return []lab.IPv4{s.udp(4000, 5000)} },
			func(s *scene) []lab.IPv4 {
				return []lab.IPv4{s.udp(4000, 4999), s.udp(4000, 5001), s.udp(5000, 4000), s.tcp(4000, 5000)}
			}, []string{"RFC6407-5.5.1-03"}},
		{"protects the addresses of a subnet up to its edges and no others", selecting(func(s *policy.Selector) {
			s.Destination = netip.MustParsePrefix("10.0.2.64/26")
		}), func(s *scene) []lab.IPv4 {
			return []lab.IPv4{to(s.packet(), "10.0.2.64"), to(s.packet(), "10.0.2.127")}
		},
			func(s *scene) []lab.IPv4 {
				return []lab.IPv4{to(s.packet(), "10.0.2.63"), to(s.packet(), "10.0.2.128")}
			},
			[]string{"RFC6407-5.5.1-05"}},
		{"protects one address when the SA names one", selecting(func(s *policy.Selector) {
			s.Source = netip.PrefixFrom(h1, 32)
		}), func(s *scene) []lab.IPv4 { return []lab.IPv4{s.packet()} },
			func(s *scene) []lab.IPv4 { return []lab.IPv4{from(s.packet(), "10.0.1.3")} }, []string{"RFC6407-5.5.1-05"}},
		{"protects every source when the SA's source is zero", selecting(func(s *policy.Selector) {
			s.Source = netip.MustParsePrefix("0.0.0.0/0")
		}), func(s *scene) []lab.IPv4 { return []lab.IPv4{s.packet(), from(s.packet(), "172.16.5.5")} },
			func(s *scene) []lab.IPv4 { return []lab.IPv4{to(s.packet(), "192.0.2.10")} }, []string{"RFC6407-5.5.1-06"}},
	} {
		It(c.name, kit.Requirement(c.ids...), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: c.group})
			for _, p := range c.inside(s) {
				Expect(s.leaves1(p).ESP).NotTo(BeNil(), "%s leaves in ESP", flow(p))
			}
			if c.other == nil {
				return
			}
			for _, p := range c.other(s) {
				Expect(s.leaves1(p).ESP).To(BeNil(), "%s is not the group's and leaves as it is", flow(p))
			}
		})
	}

	for _, c := range []struct {
		name     string
		narrow   int // the place of the SA for UDP alone beside one for everything
		udp, all int // the places of the SAs that UDP and ICMP leave under
	}{
		{"the narrower first", 0, 0, 1}, {"the wider first", 1, 0, 0},
	} {
		It("sends a packet under the first SA that takes it: "+c.name, kit.Requirement("RFC4301-4.4.1-01"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: func(g *policy.Group) {
				g.SAs = append(g.SAs, g.SAs[0])
				g.SAs[c.narrow].Selector.Protocol = 17
			}})
			for _, sent := range []struct {
				packet lab.IPv4
				place  int
			}{{s.udp(4000, 5000), c.udp}, {s.packet(), c.all}} {
				out := s.leaves1(sent.packet)
				Expect(out.ESP).NotTo(BeNil(), "%s leaves in ESP", flow(sent.packet))
				Expect(kit.SPI(out.ESP.SPI)).To(Equal(s.spis()[sent.place]), "%s leaves under SA %d", flow(sent.packet), sent.place+1)
			}
		})
	}

	It("lets key management pass when the group protects everything", kit.Requirement("RFC4301-5.2-02"), func(ctx SpecContext) {
		s := stage(ctx, lab.Setup{Group: everything})
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.GM[0].Start(ctx), "the device starts")
		Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed())
		rekey := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
		Expect(kit.Takes(ctx, s.Lab, 1, rekey)).To(BeTrue(), "it takes a rekey")
		kit.GoOver(ctx, s.Lab, 1, rekey.SPIs)
		out := s.leaves1(to(s.packet(), outsider.String()))
		Expect(out.ESP).NotTo(BeNil(), "everything else is protected")
		Expect(kit.SPI(out.ESP.SPI)).To(Equal(rekey.SPIs[0]))
	})

	It("carries first and later fragments on an SA of any port", kit.Requirement("RFC4301-7.1-01"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		for _, p := range halves(s.udp(4000, 5000)) {
			out := s.leaves1(p)
			Expect(out.ESP).NotTo(BeNil(), "%s leaves in ESP", flow(p))
			Expect(out.Inner.Offset).To(Equal(p.Offset))
		}
	})

	It("sends no later fragment on an SA that names ports, nor in clear", kit.Requirement("RFC4301-7.3-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Group: toPort5000})
		later, next := halves(s.udp(4000, 5000))[1], s.udp(4000, 5000)
		all := s.leaves(later, next)
		kit.Control(find(all, next).ESP != nil, "a whole packet leaves in ESP")
		Expect(find(all, later)).To(BeNil())
	})

	It("takes no later fragment on an SA that names ports", kit.Requirement("RFC4301-7.3-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{Group: toPort5000})
		s.control = func() lab.IPv4 {
			p := s.udp(4000, 5000)
			p.Source, p.Destination = h2, h1
			return p
		}
		s.drops("RFC4301-5.2-01", s.group().Packet(halves(s.control())[1].Bytes()))
	})

	for _, c := range []struct {
		name    string
		group   func(*policy.Group)
		foreign func(s *scene) lab.IPv4
	}{
		{"drops a packet whose inner source the SA does not cover", func(*policy.Group) {},
			func(s *scene) lab.IPv4 { return from(s.back(), "192.0.2.10") }},
		{"drops a packet whose inner protocol the SA does not cover", toPort5000,
			func(s *scene) lab.IPv4 { return s.back() }},
		{"drops a packet whose inner port the SA does not cover", toPort5000,
			func(s *scene) lab.IPv4 { return from(to(s.udp(4000, 5001), h1.String()), h2.String()) }},
		{"drops a packet whose inner addresses the SA covers the other way round only", selecting(func(s *policy.Selector) {
			s.Source = lab.MemberLAN(1)
		}), func(s *scene) lab.IPv4 { return s.back() }},
	} {
		It(c.name, kit.Requirement("RFC4301-5.2-01"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: c.group})
			s.control = func() lab.IPv4 {
				return from(to(s.udp(4000, 5000), h1.String()), "10.0.1.77") // covered by all of the selectors
			}
			s.drops("RFC4301-5.2-01", s.group().Packet(c.foreign(s).Bytes()))
		})
	}

	It("takes no clear packet that the group protects", kit.Requirement("RFC4301-5.2-01"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.drops("RFC4301-5.2-01", s.back().Bytes())
	})

	It("delivers a clear packet that the group does not protect", kit.Requirement("RFC6407-5.5.1-05"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		p := from(s.back(), outsider.String())
		Expect(s.takes(p, p.Bytes())).NotTo(BeNil())
	})
})

var _ = Describe("Directions of an SA (RFC 6407 §5.5.1.1.2)", kit.Subject("dataplane"), kit.DUT(rule.GM), kit.Feature("direction"), func() {
	directed := func(d policy.Direction) lab.Setup {
		t := lab.GCM()
		t.Direction = d
		return lab.Setup{Group: withTransform(t)}
	}

	for _, c := range []struct {
		name  string
		value policy.Direction
		id    string
	}{
		{"sends and receives on a symmetric SA", policy.DirectionSymmetric, "RFC6407-5.5.1.1.2-01"},
		{"sends and receives on an SA that says nothing of direction", policy.DirectionAbsent, "RFC6407-5.5.1.1.2-03"},
	} {
		It(c.name, kit.Requirement(c.id), func(ctx SpecContext) {
			s := device(ctx, directed(c.value))
			Expect(s.leaves1(s.packet()).ESP).NotTo(BeNil(), "it sends")
			Expect(s.honest()).To(BeTrue(), "it receives")
		})
	}

	It("sends, and does not receive, on a sender-only SA", kit.Requirement("RFC6407-5.5.1.1.2-02"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, directed(policy.DirectionSenderOnly))
		Expect(s.leaves1(s.packet()).ESP).NotTo(BeNil(), "it sends")
		before := kit.Now(s.Lab)
		inner, clear := s.back(), s.back()
		clear.Source = outsider
		s.inject(s.group().Packet(inner.Bytes()))
		kit.Control(s.takes(clear, clear.Bytes()) != nil, "traffic that needs no SA is delivered")
		Expect(arrived(s.onLAN(before), inner)).To(BeNil())
	})

	It("receives, and does not send, on a receiver-only SA", kit.Requirement("RFC6407-5.5.1.1.2-02"), kit.Negative, func(ctx SpecContext) {
		s := device(ctx, directed(policy.DirectionReceiverOnly))
		Expect(s.honest()).To(BeTrue(), "it receives")
		p, clear := s.packet(), s.packet()
		clear.Destination = outsider
		all := s.leaves(p, clear)
		kit.Control(find(all, clear) != nil, "traffic that needs no SA leaves")
		Expect(find(all, p)).To(BeNil(), "nothing is sent on it, nor in clear")
	})
})

// halves cuts a packet into two fragments.
func halves(p lab.IPv4) []lab.IPv4 {
	first, second := p, p
	first.Payload, second.Payload = p.Payload[:8], p.Payload[8:]
	first.MoreFragments, second.Offset = true, 8
	return []lab.IPv4{first, second}
}

// flow describes a packet for a message.
func flow(p lab.IPv4) string {
	return fmt.Sprintf("protocol %d from %s to %s, %x", p.Protocol, p.Source, p.Destination, p.Payload[:min(4, len(p.Payload))])
}
