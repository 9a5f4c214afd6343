package natt

import (
	"net/netip"
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

// The key server is behind a NAT, which hands on what comes to the ports of key management. Members on the WAN know it by the
// address of the NAT. What it sends of its own accord comes from another port once the NAT has forgotten the mapping.

// beyond is open with the key server behind a NAT that forgets nothing by itself.
func beyond() lab.Setup {
	s := open()
	usual := s.KeyServer
	s.KeyServer = func(c *policy.KeyServer) {
		usual(c)
		c.Phase1.Identity = policy.Identity{Kind: policy.IdentityAddress, Value: lab.NATAddr.String()} // as its members know it
	}
	s.HideKeyServer = true
	return s
}

// silentFor has a key server behind a NAT send keepalives after so long a silence.
func silentFor(s lab.Setup, interval time.Duration) lab.Setup {
	usual := s.KeyServer
	s.KeyServer = func(c *policy.KeyServer) { usual(c); c.Phase1.Keepalive = interval }
	return s
}

// asking is a setup in which the key server asks after a second of silence whether a member is there.
func asking(s lab.Setup) lab.Setup {
	keyServer, member := s.KeyServer, s.Member
	s.KeyServer = func(c *policy.KeyServer) {
		keyServer(c)
		c.Phase1.DPD, c.Phase1.Retransmit, c.Phase1.Retries = time.Second, 200*time.Millisecond, 3
	}
	s.Member = func(i int, c *policy.Member) { member(i, c); c.Phase1.DPD = time.Hour }
	return s
}

var _ = Describe("A key server behind a NAT (RFC 3947 §3.2, RFC 3948 §4)", kit.Subject("natt"), kit.DUT(rule.KS), kit.Feature("nat-traversal"), func() {
	It("serves a member from behind a NAT, on port 4500", kit.Requirement("RFC3947-4-02"), func(ctx SpecContext) {
		s := begin(ctx, beyond())
		Expect(s.message(ctx, s.device, core.Pull4).from.Port()).To(BeEquivalentTo(port))
		Expect(s.registered(ctx)).To(BeTrue())
	})

	It("sends keepalives of one octet from port 4500 to where the member is", kit.Requirement("RFC3947-3.2-03", "RFC3948-2.3-01"), func(ctx SpecContext) {
		s := begin(ctx, silentFor(beyond(), time.Second))
		kit.Reached(s.registered(ctx), "the member registers")
		Expect(s.Wait(ctx, lab.Patience, func() bool { return len(s.short()) > 1 })).To(BeTrue(), "keepalives come")
		for _, k := range s.short() {
			Expect(k.data).To(Equal([]byte{0xff}))
			Expect(k.from.Port()).To(BeEquivalentTo(port))
			Expect(k.to).To(Equal(netip.AddrPortFrom(s.GM[0].Addr().Addr(), port)))
		}
	})

	It("sends no keepalives if only the member is behind a NAT", kit.Requirement("RFC3947-3.2-03"), func(ctx SpecContext) {
		s := begin(ctx, silentFor(behind(), time.Second))
		kit.Reached(s.registered(ctx), "the member registers")
		s.Pass(ctx, 3*time.Second)
		Expect(s.short()).To(BeEmpty())
	})

	It("sends a member a keepalive after 20 seconds of silence, or as long as it is told", kit.Requirement("RFC3948-4-01"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			for _, interval := range []time.Duration{0, 50 * time.Second} {
				s := begin(ctx, silentFor(beyond(), interval))
				kit.Reached(s.registered(ctx), "the member registers")
				s.expectKeepalives(ctx, interval)
			}
		})

	It("has a PUSH come from where the member knows it to be after an hour behind a NAT that forgets in a minute",
		kit.Requirement("RFC3947-3.2-03", "RFC3948-4-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := prepare(ctx, beyond())
			kit.Precondition(s.NAT().Expire(time.Minute), "the NAT forgets after a minute")
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[0].Start(ctx), "the member starts")
			kit.Reached(s.registered(ctx), "the member registers")
			s.Pass(ctx, 50*time.Minute)
			s.pushed(ctx)
			s.Pass(ctx, kit.Settle)
			Expect(s.pushSource()).To(Equal(netip.AddrPortFrom(lab.NATAddr, port)))
		})

	It("gives a member up that sends nothing but keepalives", kit.Requirement("RFC3948-4-02"), kit.Negative, func(ctx SpecContext) {
		setup := asking(alive(time.Second))
		s := begin(ctx, setup, tester.Unanswered())
		kit.Reached(s.registered(ctx), "the member registers")
		silent := s.Wait(ctx, lab.Patience, func() bool { return len(s.questions()) == 4 })
		kit.Reached(silent, "the key server asks as often as it is told")
		s.Pass(ctx, 3*time.Second)
		Expect(s.keepalives(s.tester)).NotTo(BeEmpty(), "the member keeps its mapping alive")
		Expect(s.questions()).To(HaveLen(4), "and the key server does not ask it anew for that")
		kit.Control(s.afresh(ctx), "it registers again, and is asked again")
	})
})

var _ = Describe("A group member whose key server is behind a NAT (RFC 3947 §3)", kit.Subject("natt"), kit.DUT(rule.GM), kit.Feature("nat-traversal"), func() {
	It("takes a PUSH that comes from a port of the NAT's choice", kit.Requirement("RFC3947-3-01"), kit.Feature("ack"), func(ctx SpecContext) {
		s := begin(ctx, beyond())
		kit.Reached(s.registered(ctx), "the member registers")
		kit.Precondition(s.NAT().Forget(), "the NAT forgets its mappings")
		taken := s.rekeys(ctx)
		Expect(s.pushSource().Port()).To(BeNumerically(">", port), "where the PUSH comes from")
		Expect(taken).To(BeTrue(), "the member acknowledges it")
	})

	It("acknowledges a PUSH to the port that it came from", kit.Requirement("RFC3947-3-02"), kit.Feature("ack"), func(ctx SpecContext) {
		s := begin(ctx, beyond())
		kit.Reached(s.registered(ctx), "the member registers")
		kit.Precondition(s.NAT().Forget(), "the NAT forgets its mappings")
		kit.Reached(s.rekeys(ctx), "the member acknowledges a PUSH")
		Expect(s.lastTo(isakmp.ExchangePushACK)).To(Equal(s.pushSource()))
	})

	It("answers a key server that the NAT has moved where it asks from, and asks it there itself", kit.Requirement("RFC3947-3-02"), func(ctx SpecContext) {
		s := begin(ctx, asking(beyond()))
		kit.Reached(s.registered(ctx), "the member registers")
		kit.Precondition(s.NAT().Forget(), "the NAT forgets its mappings")
		before := len(s.of(s.device, isakmp.ExchangeInformational))
		Expect(s.Wait(ctx, lab.Patience, func() bool { return len(s.of(s.device, isakmp.ExchangeInformational)) > before+1 })).To(BeTrue(), "it answers")
		moved := s.lastTo(isakmp.ExchangeInformational)
		Expect(moved.Port()).To(BeNumerically(">", port), "where it answers to")
		pulls := len(s.of(s.device, isakmp.ExchangePull))
		kit.Precondition(s.GM[0].Register(ctx), "the member registers again")
		Expect(s.Wait(ctx, lab.Patience, func() bool { return len(s.of(s.device, isakmp.ExchangePull)) > pulls })).To(BeTrue(), "it asks for the group")
		Expect(s.lastTo(isakmp.ExchangePull)).To(Equal(moved))
	})
})

// questions are the device's different messages in Informational exchanges: R-U-THERE, as nothing else is to be told.
func (s *scene) questions() []datagram { return s.of(s.device, isakmp.ExchangeInformational) }

// pushSource is where the last PUSH comes from, as it crosses the WAN.
func (s *scene) pushSource() (at netip.AddrPort) {
	for _, f := range kit.WANSince(s.Lab, 0) {
		ip, _ := lab.ParseIPv4(f.Packet)
		from, to, data, ok := ip.UDP()
		if ok && read(f.At, from, to, data).header.Exchange == isakmp.ExchangePush {
			at = from
		}
	}
	return at
}

// lastTo is where the device's last message in an exchange goes.
func (s *scene) lastTo(exchange isakmp.ExchangeType) netip.AddrPort {
	GinkgoHelper()
	all := s.of(s.device, exchange)
	kit.Reached(len(all) > 0, "the device sends something")
	return all[len(all)-1].to
}
