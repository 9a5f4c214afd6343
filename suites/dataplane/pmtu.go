package dataplane

import (
	"encoding/binary"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// router is one of the network between the members.
var router = netip.MustParseAddr("203.0.113.1")

var _ = Describe("The MTU of a path (RFC 4301 §8.2)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	const (
		learnt = "RFC4301-8.2-01"
		narrow = 1200 // octets of the link that a router speaks of
		big    = 1300 // octets of a packet that leaves as long as nobody has spoken
	)
	// passes reports whether a packet of that size, which must not be fragmented, leaves in ESP; if not, its sender is told.
	passes := func(s *scene) bool {
		GinkgoHelper()
		before := kit.Now(s.Lab)
		p := sized(s.packet(), big)
		p.DontFragment = true
		s.send(p)
		Expect(s.Wait(s.ctx, lab.Patience, func() bool {
			return find(s.onWAN(before), p) != nil || fragmentationNeeded(s.onLAN(before)) != nil
		})).To(BeTrue(), "the packet leaves, or its sender is told")
		return find(s.onWAN(before), p) != nil
	}
	// aged has the device forget soon.
	aged := lab.Setup{Member: carrying(func(d *policy.DataPath) { d.PMTUAge = 3 * time.Second })}

	It("tells a sender the MTU of the path when a router has said that an ESP packet is too big", kit.Requirement(learnt, "RFC4301-8.2.1-01"),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			s.inject(s.needed(s.leaves1(s.packet()).Outer, narrow))
			Expect(s.Wait(ctx, lab.Patience, func() bool { return !passes(s) })).To(BeTrue(), "a packet that is too big for the path no longer leaves")
			mtu := s.tooBig(big)
			Expect(mtu).To(And(BeNumerically("<", narrow-50), BeNumerically(">", narrow-80)), "what is left of %d", narrow)
			fits := sized(s.packet(), mtu)
			fits.DontFragment = true
			Expect(s.leaves1(fits).Size).To(BeNumerically("<=", narrow))
		})

	It("lets big packets pass again when it has not heard of the MTU for a while", kit.Requirement("RFC4301-8.2.2-01"), func(ctx SpecContext) {
		s := device(ctx, aged)
		s.inject(s.needed(s.leaves1(s.packet()).Outer, narrow))
		Expect(s.Wait(ctx, lab.Patience, func() bool { return !passes(s) })).To(BeTrue(), "a packet that is too big for the path does not leave")
		s.Pass(ctx, 3*time.Second)
		Expect(s.Wait(ctx, lab.Patience, func() bool { return passes(s) })).To(BeTrue(), "it leaves once the news is old")
	})

	It("forgets the MTU of a path after ten minutes, not before", kit.Requirement("RFC4301-8.2.2-01"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			s.inject(s.needed(s.leaves1(s.packet()).Outer, narrow))
			s.Pass(ctx, moment)
			Expect(passes(s)).To(BeFalse(), "a packet that is too big for the path does not leave")
			s.Pass(ctx, 10*time.Minute-2*moment-500*time.Millisecond)
			Expect(passes(s)).To(BeFalse(), "nor just before ten minutes are over")
			s.Pass(ctx, 2*moment+500*time.Millisecond)
			Expect(passes(s)).To(BeTrue(), "but then it does")
		})

	It("fragments packets without DF to the MTU of the path", kit.Requirement(learnt, "RFC4301-8.2.1-02"), func(ctx SpecContext) {
		s := device(ctx, lab.Setup{})
		s.inject(s.needed(s.leaves1(s.packet()).Outer, narrow))
		Expect(s.Wait(ctx, lab.Patience, func() bool { return !passes(s) })).To(BeTrue(), "the device has heard of it")
		before := kit.Now(s.Lab)
		p := sized(s.packet(), 1400)
		s.send(p)
		s.leaves1(s.packet())
		Expect(whole(s.onWAN(before), p)).To(BeTrue(), "the pieces make up the packet")
		for _, out := range s.onWAN(before) {
			Expect(out.Size).To(BeNumerically("<=", narrow))
		}
	})

	for _, c := range []struct {
		name  string
		alter func(quoted *lab.IPv4)
	}{
		{"does not believe news of an SPI that it does not use", func(q *lab.IPv4) { q.Payload[0] ^= 1 }},
		{"does not believe news of a packet to where its SA does not reach", func(q *lab.IPv4) { q.Destination = outsider }},
		{"does not believe news of a packet from somebody else", func(q *lab.IPv4) { q.Source = outsider }},
	} {
		It(c.name, kit.Requirement(learnt), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			out := s.leaves1(s.packet()).Outer
			q := out
			q.Payload = append([]byte(nil), out.Payload...)
			c.alter(&q)
			s.inject(s.about(q, out.Source, narrow))
			s.Pass(ctx, moment)
			Expect(passes(s)).To(BeTrue(), "a big packet leaves all the same")
			s.inject(s.needed(out, narrow))
			kit.Control(s.Wait(ctx, lab.Patience, func() bool { return !passes(s) }), "honest news is believed")
		})
	}
})

// needed is what a router says to the sender of a packet that is too big for the next link (RFC 1191 §4).
func (s *scene) needed(about lab.IPv4, mtu uint16) []byte { return s.about(about, about.Source, mtu) }

func (s *scene) about(quoted lab.IPv4, to netip.Addr, mtu uint16) []byte {
	icmp := append([]byte{3, 4, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}, quoted.Bytes()[:28]...)
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: router, Destination: to, Protocol: 1, Payload: icmp}.Bytes()
}
