package natt

import (
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A key server whose member is behind a NAT (RFC 3947 §3, §4)", kit.Subject("natt"), kit.DUT(rule.KS), kit.Feature("nat-traversal"), func() {
	It("serves members behind a NAT, whatever ports they come from", kit.Requirement("RFC3947-3-01"), func(ctx SpecContext) {
		s := begin(ctx, behind(1, 2))
		Expect(s.registered(ctx)).To(BeTrue(), "both members register")
	})

	answersThere(keyServerSide)

	It("answers a member that the NAT moves to another port in the middle of its registration", kit.Requirement("RFC3947-3-02", "RFC3947-4-04"),
		func(ctx SpecContext) {
			s := begin(ctx, behind(), tester.Withhold(core.Pull3))
			kit.Reached(s.comes(ctx, s.device, core.Pull2), "the key server answers message 1 of the PULL")
			before := s.last()
			kit.Precondition(s.NAT().Forget(), "the NAT forgets its mappings")
			Expect(s.tester.Misbehave(nil)).To(Succeed())
			fourth := s.message(ctx, s.device, core.Pull4)
			Expect(s.last()).NotTo(Equal(before), "the member is at another port")
			Expect(fourth.to).To(Equal(s.last()), "message 4 goes there")
			Expect(s.pushed(ctx).to).To(Equal(s.last()), "and so do PUSH messages")
		})

	It("sends a PUSH to the port from which the member proved itself last", kit.Requirement("RFC3947-3-02"), func(ctx SpecContext) {
		s := begin(ctx, behind())
		kit.Reached(s.registered(ctx), "the member registers")
		s.moves(ctx)
		Expect(s.pushed(ctx).to).To(Equal(s.last()))
		Expect(s.pushed(ctx).from.Port()).To(BeEquivalentTo(port))
	})

	It("does not send a PUSH to where a message comes from that nobody has proven", kit.Requirement("RFC3947-3-02"), kit.Negative,
		func(ctx SpecContext) {
			s := begin(ctx, behind())
			kit.Reached(s.registered(ctx), "the member registers")
			genuine := s.last()
			up := s.under(s.tester, s.opening())
			pull := slices.Clone(up[3].data) // the member's message 1, under another Message ID and so under a wrong IV
			pull[marker+20] ^= 0x55
			s.inject(netip.MustParseAddrPort("192.0.2.66:6666"), netip.AddrPortFrom(s.KS.Addr().Addr(), port), pull)
			s.Pass(ctx, kit.Settle)
			Expect(s.pushed(ctx).to).To(Equal(genuine), "the member stays where it is")
			s.moves(ctx)
			kit.Control(s.pushed(ctx).to == s.last(), "it follows a message that is proven")
		})

	It("serves a member that begins on port 4500", kit.Requirement("RFC3947-4-05"), func(ctx SpecContext) {
		setup := behind()
		usual := setup.Member
		setup.Member = func(i int, c *policy.Member) {
			usual(i, c)
			c.KeyServers[0] = netip.AddrPortFrom(c.KeyServers[0].Addr(), port)
		}
		s := begin(ctx, setup)
		Expect(s.message(ctx, s.device, core.MainMode2).from.Port()).To(BeEquivalentTo(port))
		Expect(s.registered(ctx)).To(BeTrue())
	})

	harmless(keyServerSide, tester.FloatedEarly(core.MainMode3), tester.Unfloated(core.MainMode5, lab.Port), tester.HalfFloated(core.MainMode5, lab.Port))

	It("takes PULL messages of a member that goes back to port 848, and answers there", kit.Requirement("RFC3947-3-02"), func(ctx SpecContext) {
		s := begin(ctx, behind(), tester.Unfloated(core.Pull1, lab.Port))
		d := s.message(ctx, s.device, core.Pull2)
		Expect(d.from.Port()).To(BeEquivalentTo(lab.Port))
		Expect(d.marked).To(BeFalse())
	})

	It("does not answer message 5 on the former port after the change", kit.Requirement("RFC3947-4-06"), kit.Negative, func(ctx SpecContext) {
		s := begin(ctx, behind())
		kit.Reached(s.registered(ctx), "the member registers")
		fifth := s.under(s.tester, s.opening())[2]
		sixth := func() int { return s.copies(s.under(s.device, s.opening())[2]) }
		before := sixth()
		former := s.translated()[0]
		s.inject(former, s.KS.Addr(), fifth.message)
		s.Pass(ctx, kit.Settle)
		Expect(sixth()).To(Equal(before), "a copy on the former port is not answered")
		s.inject(s.last(), netip.AddrPortFrom(s.KS.Addr().Addr(), port), fifth.data)
		kit.Control(s.Wait(ctx, lab.Patience, func() bool { return sixth() > before }), "a copy on port 4500 is")
	})

	It("asks a member without a NAT for no encapsulation in UDP", kit.Requirement("RFC3947-5.1-01"), func(ctx SpecContext) {
		s := begin(ctx, open())
		kit.Reached(s.comes(ctx, s.device, core.Pull2), "the key server sends its policy")
		s.Wait(ctx, lab.Patience, func() bool { return len(s.GM[0].Logged("PHASE1_UP")) > 0 })
		second := s.decoded(core.Pull2)
		Expect(second).NotTo(BeEmpty())
		Expect(kit.Value(second[0], "SA/SAT/Encapsulation Mode")).To(BeElementOf("tunnel (1)", "transport (2)"))
	})

	for _, d := range []tester.Deviation{tester.LongKeepalive(), tester.WrongKeepalive()} {
		It("takes "+d.Name+" for nothing at all", kit.Requirement("RFC3948-2.3-01"), kit.Feature("ack"), kit.Negative, func(ctx SpecContext) {
			s := begin(ctx, alive(time.Second), d)
			kit.Reached(s.registered(ctx), "the member registers")
			kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return len(s.keepalives(s.tester)) > 1 }), "the member sends it")
			before := len(s.sent(s.device))
			s.Pass(ctx, kit.Settle)
			Expect(s.sent(s.device)).To(HaveLen(before), "it is not answered")
			kit.Control(s.rekeys(ctx), "a rekey still goes through")
		})
	}

	It("does not answer message 3 behind a marker on the port that has none", kit.Requirement("RFC3948-2.2-01"), kit.Negative, func(ctx SpecContext) {
		s := begin(ctx, behind(), tester.MarkerElsewhere(core.MainMode3))
		kit.Reached(s.comes(ctx, s.device, core.MainMode2), "the key server answers message 1")
		s.Pass(ctx, kit.Settle)
		Expect(s.under(s.device, s.opening())).To(HaveLen(1), "it goes no further than message 2")
		kit.Control(s.afresh(ctx), "a member that puts no marker there registers")
	})

	It("does not take a member for gone that sends no keepalives", kit.Requirement("RFC3948-4-02"), kit.Feature("ack"), func(ctx SpecContext) {
		s := begin(ctx, alive(time.Second), tester.NoKeepalive())
		kit.Reached(s.registered(ctx), "the member registers")
		s.Pass(ctx, kit.Settle)
		Expect(s.keepalives(s.tester)).To(BeEmpty())
		Expect(s.rekeys(ctx)).To(BeTrue(), "it gets a rekey all the same")
	})
})

// answersThere makes the spec of where answers go.
func answersThere(mine side) {
	It(mine.name+" answers from port 4500 to the port that the NAT has given the member", kit.Requirement("RFC3947-4-04"), func(ctx SpecContext) {
		s := begin(ctx, mine.behind())
		for _, kind := range mine.floated {
			d := s.message(ctx, s.device, kind)
			Expect(d.from.Port()).To(BeEquivalentTo(port), "%s leaves from there", kind)
			Expect(d.to).To(Equal(s.last()), "%s goes there", kind)
		}
	})
}

// harmless makes the specs of members that change ports in another way.
func harmless(mine side, ds ...tester.Deviation) {
	for _, d := range ds {
		It("takes no harm from "+d.Name, kit.Requirement("RFC3947-3-02"), kit.Negative, func(ctx SpecContext) {
			s := begin(ctx, mine.behind(), d)
			s.comes(ctx, s.tester, mine.other().floated[0])
			s.Pass(ctx, kit.Settle)
			for _, m := range s.under(s.device, s.opening()) {
				Expect(s.translated()).To(ContainElement(m.to), "it answers where it was asked from")
			}
			kit.Control(s.afresh(ctx), "a member that changes ports as it should registers")
		})
	}
}

// moves has the NAT move the first member, which begins another PULL from its new port that it does not finish.
func (s *scene) moves(ctx SpecContext) {
	GinkgoHelper()
	before := s.last()
	kit.Precondition(s.NAT().Forget(), "the NAT forgets its mappings")
	answers := len(s.of(s.KS, isakmp.ExchangePull))
	Expect(s.GM[0].Misbehave(tester.Withhold(core.Pull3).Tap)).To(Succeed())
	kit.Precondition(s.GM[0].Register(ctx), "the member registers again")
	kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return len(s.of(s.KS, isakmp.ExchangePull)) > answers }), "the key server answers it")
	kit.Reached(s.last() != before, "the member is at another port")
}

// of are the messages of a peer in that exchange.
func (s *scene) of(p *lab.Peer, exchange isakmp.ExchangeType) []datagram {
	return slices.DeleteFunc(s.messages(p), func(d datagram) bool { return d.header.Exchange != exchange })
}

// copies counts how often the device has sent a datagram.
func (s *scene) copies(of datagram) (n int) {
	for _, d := range s.sent(s.device) {
		if string(d.message) == string(of.message) {
			n++
		}
	}
	return n
}
