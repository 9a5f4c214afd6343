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
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A group member behind a NAT (RFC 3947 §4)", kit.Subject("natt"), kit.DUT(rule.GM), kit.Feature("nat-traversal"), func() {
	changes(memberSide)

	It("begins on port 4500, marker and all, with a key server that is asked there", kit.Requirement("RFC3947-4-05"), func(ctx SpecContext) {
		setup := behind()
		usual := setup.Member
		setup.Member = func(i int, c *policy.Member) {
			usual(i, c)
			c.KeyServers[0] = netip.AddrPortFrom(c.KeyServers[0].Addr(), port)
		}
		s := begin(ctx, setup)
		first := s.message(ctx, s.device, core.MainMode1)
		Expect(first.from.Port()).To(BeEquivalentTo(port))
		Expect(first.marked).To(BeTrue(), "it has a marker")
		Expect(s.registered(ctx)).To(BeTrue())
	})

	It("sends keepalives of one octet from and to port 4500", kit.Requirement("RFC3947-3.2-03", "RFC3948-2.3-01"), func(ctx SpecContext) {
		s := begin(ctx, alive(time.Second))
		kit.Reached(s.registered(ctx), "the member registers")
		sent := s.Wait(ctx, lab.Patience, func() bool { return len(s.short()) > 1 })
		Expect(sent).To(BeTrue(), "keepalives come")
		for _, k := range s.short() {
			Expect(k.data).To(Equal([]byte{0xff}))
			Expect([]uint16{k.from.Port(), k.to.Port()}).To(Equal([]uint16{port, port}))
		}
	})

	It("gives a key server up that sends nothing but keepalives", kit.Requirement("RFC3948-4-02"), func(ctx SpecContext) {
		setup := behind()
		usual := setup.Member
		setup.Member = func(i int, c *policy.Member) {
			usual(i, c)
			c.Phase1.Retries, c.RetryDelay = 2, 500*time.Millisecond
		}
		s := begin(ctx, setup, tester.Withhold(core.Pull2))
		kit.Reached(s.comes(ctx, s.device, core.Pull1), "the member asks for the group")
		first, at := s.opening(), s.last()
		again := false
		for until := s.Now().Add(lab.Patience); !again && s.Now().Before(until); {
			s.inject(netip.AddrPortFrom(s.KS.Addr().Addr(), port), at, []byte{0xff})
			again = s.Wait(ctx, 100*time.Millisecond, func() bool {
				return len(s.under(s.device, first)) < len(s.messages(s.device))
			})
		}
		Expect(again).To(BeTrue(), "it begins anew after its repetitions")
	})

	It("sends no keepalives if nothing is in front of it", kit.Requirement("RFC3947-3.2-03"), func(ctx SpecContext) {
		setup := alive(time.Second)
		setup.NAT = nil
		s := begin(ctx, setup)
		kit.Reached(s.registered(ctx), "the member registers")
		s.Pass(ctx, 3*time.Second)
		Expect(s.short()).To(BeEmpty())
	})

	It("sends a keepalive after 20 seconds of silence, or as long as it is told", kit.Requirement("RFC3948-4-01"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			for _, interval := range []time.Duration{0, 50 * time.Second} {
				s := begin(ctx, alive(interval))
				kit.Reached(s.registered(ctx), "the member registers")
				s.expectKeepalives(ctx, interval)
			}
		})

	It("is still to be reached by a rekey after an hour behind a NAT that forgets in a minute", kit.Requirement("RFC3947-3.2-03", "RFC3948-4-01"), kit.Feature("ack"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			setup := behind()
			usual := setup.Member
			setup.Member = func(i int, c *policy.Member) { usual(i, c); c.ReRegister = time.Second }
			s := prepare(ctx, setup)
			kit.Precondition(s.NAT().Expire(time.Minute), "the NAT forgets after a minute")
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[0].Start(ctx), "the member starts")
			kit.Reached(s.registered(ctx), "the member registers")
			s.Pass(ctx, 50*time.Minute)
			Expect(s.rekeys(ctx)).To(BeTrue(), "the rekey goes through the mapping of the registration")
		})
})

// changes makes the specs of the change to port 4500.
func changes(mine side) {
	floated, found := mine.floated[0], mine.other().exchanges
	floats := func(s *scene, ctx SpecContext) {
		GinkgoHelper()
		d := s.message(ctx, s.device, floated)
		Expect(d.from.Port()).To(BeEquivalentTo(port), "where it comes from")
		Expect(d.to.Port()).To(BeEquivalentTo(port), "where it goes")
	}

	It("goes on with "+floated.String()+" from port 4500 to port 4500", kit.Requirement("RFC3947-4-01"), func(ctx SpecContext) {
		floats(begin(ctx, mine.behind()), ctx)
	})

	for which, whose := range []string{"its own end", "the key server's end"} {
		d := tester.WrongNATD(found, which)
		It("finds a NAT in front of "+whose+" by NAT-D alone, after "+d.Name, kit.Requirement("RFC3947-4-01"), kit.Negative, func(ctx SpecContext) {
			s := begin(ctx, mine.open(), d)
			floats(s, ctx)
			kit.Control(s.registered(ctx), "it registers through what it takes for a NAT")
		})
	}

	more := tester.MoreNATD(found)
	It("finds no NAT if one of several addresses of the key server is right, as in "+more.Name, kit.Requirement("RFC3947-3.2-01"), func(ctx SpecContext) {
		s := begin(ctx, mine.open(), more)
		Expect(s.message(ctx, s.device, floated).from.Port()).To(BeEquivalentTo(lab.Port))
	})

	for _, d := range []tester.Deviation{tester.NoNATD(found), tester.OneNATD(found)} {
		It("changes no ports after "+d.Name, kit.Requirement("RFC3947-3.2-02"), kit.Negative, func(ctx SpecContext) {
			s := begin(ctx, mine.open(), d)
			from := s.message(ctx, s.device, floated).from.Port()
			kit.Reached(s.registered(ctx), "the member registers")
			registered := s.afresh(ctx)
			Expect(from).To(BeEquivalentTo(lab.Port), "nothing says that there is a NAT")
			kit.Control(registered, "it registers with a key server that sends them")
		})
	}
}

// alive is behind with keepalives at that interval.
func alive(interval time.Duration) lab.Setup {
	s := behind()
	usual := s.Member
	s.Member = func(i int, c *policy.Member) { usual(i, c); c.Phase1.Keepalive = interval }
	return s
}

// short are the keepalives of the device.
func (s *scene) short() []datagram { return s.keepalives(s.device) }
