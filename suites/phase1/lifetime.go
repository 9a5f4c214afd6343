package phase1

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// How long a Phase 1 SA lives in these specs, and how near to its end it is still, or no longer, in use.
const (
	life = 10 * time.Minute
	near = 10 * time.Second
)

// A PULL is less than a kilobyte, two are more, and far less than ten.
const fewKilobytes, manyKilobytes = 1, 10

var _ = Describe("The lifetime of Phase 1 at a key server (RFC 2409 appendix A)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	// serves reports whether the key server has the SA of the first registration.
	serves := func(ctx context.Context, t *talk) bool {
		return t.serves(ctx, t.openings(t.tester)[0].header.InitiatorCookie)
	}

	// twice has the member register twice under one SA.
	twice := func(ctx context.Context, t *talk) {
		GinkgoHelper()
		kit.Precondition(t.tester.AwaitRegistered(ctx), "the member registers")
		kit.Precondition(t.tester.Register(ctx), "it registers again")
		kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.device, core.Pull4)) > 1 }), "under the same SA")
	}

	It("ends the SA with its own lifetime if that is the shorter one", kit.Requirement("RFC2409-A-04"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{KeyServer: func(c *policy.KeyServer) { c.Phase1.Lifetime = life }})
		kit.Reached(t.reaches(ctx, core.Pull4), "the member registers")
		t.Pass(ctx, life-near)
		Expect(serves(ctx, t)).To(BeTrue(), "until then a copy of message 5 is answered")
		t.Pass(ctx, 2*near)
		Expect(serves(ctx, t)).To(BeFalse(), "afterwards it is not")
	})

	It("says so in a RESPONDER-LIFETIME if its lifetime is shorter than the one offered", kit.Requirement("RFC2407-4.6.3.1-01", "RFC2407-4.6.3.1-03", "RFC2407-4.6.3-01"),
		func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{KeyServer: func(c *policy.KeyServer) { c.Phase1.Lifetime = life }})
			complete := t.reaches(ctx, core.Pull2)
			m := proof(t, keyServerSide)
			Expect(value(m, "N")).To(Equal(isakmp.NotifyResponderLifetime.String()))
			Expect(value(m, "N", "DOI")).To(Equal("IPSEC (1)"))
			Expect(value(m, "N", "Protocol")).To(Equal("ISAKMP (1)"))
			Expect(value(m, "N", "SPI")).To(Equal(pairOf(m)))
			Expect(value(m, "N", "Data")).To(Equal(fmt.Sprintf("800b0001000c0004%08x", int64(life/time.Second))))
			Expect(complete).To(BeTrue(), "the registration goes on")
		})

	It("says so in an Informational under the SA where Aggressive Mode has established it", kit.Requirement("RFC2407-4.6.3.1-01", "RFC2407-4.6.3-01"),
		func(ctx SpecContext) {
			t := begin(ctx, shorter(life))
			complete := t.reaches(ctx, core.Pull2)
			told := t.decoded(t.device, core.Informational)
			Expect(told).To(HaveLen(1))
			Expect(value(told[0], "N")).To(Equal(isakmp.NotifyResponderLifetime.String()))
			Expect(value(told[0], "N", "SPI")).To(Equal(told[0].Header.InitiatorCookie.String() + told[0].Header.ResponderCookie.String()))
			Expect(told[0].Header.Flags&isakmp.FlagEncryption).NotTo(BeZero(), "it is protected")
			Expect(complete).To(BeTrue(), "the registration goes on")
		})

	for _, offers := range []struct {
		says      string
		kilobytes uint32
		left      bool
	}{{"ends the SA once it has protected the kilobytes that were agreed", fewKilobytes, false}, {"keeps an SA that has protected less than was agreed", manyKilobytes, true}} {
		It(offers.says, kit.Requirement("RFC2409-A-05"), func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{}, tester.OffersKilobytes(core.MainMode1, offers.kilobytes), tester.Withhold(core.Informational))
			twice(ctx, t)
			Expect(serves(ctx, t)).To(Equal(offers.left), "a copy of message 5 is answered")
		})
	}

	It("takes the shorter of two lifetimes, in seconds and in kilobytes", kit.Requirement("RFC2409-A-05", "RFC2407-4.5.2-01"), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{KeyServer: func(c *policy.KeyServer) { c.Phase1.Kilobytes = fewKilobytes }},
			tester.OffersKilobytes(core.MainMode1, manyKilobytes), tester.Withhold(core.Informational))
		twice(ctx, t)
		Expect(serves(ctx, t)).To(BeFalse(), "its own kilobytes are spent")
	})
})

var _ = Describe("The lifetime of Phase 1 at a group member (RFC 2409 appendix A)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	// renews reports whether the member, told to register again, begins with a new Phase 1.
	renews := func(ctx context.Context, t *talk) bool {
		GinkgoHelper()
		openings, pulls := len(t.openings(t.device)), len(t.decoded(t.device, core.Pull1))
		kit.Precondition(t.device.Register(ctx), "the member registers again")
		kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.device, core.Pull1)) > pulls }), "it asks for the group")
		return len(t.openings(t.device)) > openings
	}
	// again waits until the member has got its keys twice: by its log or, if that does not tell, by the second message 4, which it gets its
	// time to take.
	again := func(ctx context.Context, t *talk) bool {
		GinkgoHelper()
		if t.device.Tells("REGISTERED") {
			return t.device.AwaitRegistrations(ctx, 1, lab.Patience)
		}
		sent := t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.tester, core.Pull4)) > 1 })
		t.Pass(ctx, kit.Settle)
		return sent
	}
	lives := func(c *policy.Member) {
		c.Phase1.Lifetime, c.Phase1.Retransmit, c.Phase1.Retries = life, 100*time.Millisecond, 1
	}

	It("makes a new Phase 1 once the lifetime of the old one is over, and not before", kit.Requirement("RFC2409-A-04"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { lives(c) }}, tester.Withhold(core.Informational))
			Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
			t.Pass(ctx, life-near)
			Expect(renews(ctx, t)).To(BeFalse(), "until then it uses the SA that it has")
			t.Pass(ctx, 2*near)
			Expect(renews(ctx, t)).To(BeTrue(), "afterwards it makes a new one")
		})

	It("keeps to the lifetime that the key server notifies", kit.Requirement("RFC2407-4.6.3.1-02"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { lives(c); c.Phase1.Lifetime = time.Hour }},
			tester.RespondsLifetime(life), tester.Withhold(core.Informational))
		Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
		t.Pass(ctx, life+near)
		Expect(renews(ctx, t)).To(BeTrue(), "it makes a new Phase 1, though it offered an hour")
	})

	It("keeps to the lifetime that the key server notifies after Aggressive Mode", kit.Requirement("RFC2407-4.6.3.1-02"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			t := begin(ctx, shorter(time.Hour), tester.NotifiesLifetime(life))
			Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
			t.Pass(ctx, life+near)
			Expect(renews(ctx, t)).To(BeTrue(), "it makes a new Phase 1, though it offered a day")
		})

	It("keeps its lifetime when the key server notifies one for another SA", kit.Requirement("RFC2407-4.6.3.1-02"), kit.Needs(lab.NeedVirtualTime), kit.Negative,
		func(ctx SpecContext) {
			t := begin(ctx, shorter(time.Hour), tester.NotifiesLifetimeOfAnother(life))
			Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
			t.Pass(ctx, life+near)
			Expect(renews(ctx, t)).To(BeFalse(), "it uses the SA that it has")
			Expect(t.tester.Misbehave(tester.NotifiesLifetime(life).Tap)).To(Succeed())
			kit.Precondition(t.device.Clear(ctx), "the member begins again")
			kit.Reached(t.device.AwaitRegistrations(ctx, 1, lab.Patience), "it registers")
			t.Pass(ctx, life+near)
			kit.Control(renews(ctx, t), "it keeps to one for its own SA")
		})

	It("lives with a lifetime that the key server notifies in message 6 and that cannot be read", kit.Requirement("RFC2407-4.6.3.1-02"),
		func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{}, tester.RespondsGarbage())
			Expect(t.reaches(ctx, core.Pull3)).To(BeTrue(), "it goes on")
		})

	It("deletes the SA at its end, if it says anything, by its cookies", kit.Requirement("RFC2408-3.15-02", "RFC2409-A-04"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { lives(c) }}, tester.Withhold(core.Informational))
			Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
			t.Pass(ctx, life+near)
			for _, m := range t.decoded(t.device, core.Informational) {
				Expect(m.At.Sub(t.openings(t.device)[0].at)).To(BeNumerically("~", life, near), "at its end")
				Expect(value(m, "D", "SPI")).To(Equal(m.Header.InitiatorCookie.String() + m.Header.ResponderCookie.String()))
			}
			Expect(renews(ctx, t)).To(BeTrue(), "it no longer has the SA")
		})

	for _, allows := range []struct {
		says      string
		kilobytes int
		renews    bool
	}{{"makes a new Phase 1 once the old one has protected its kilobytes", fewKilobytes, true}, {"uses a Phase 1 that has protected less than its kilobytes again", manyKilobytes, false}} {
		It(allows.says, kit.Requirement("RFC2409-A-05"), func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { lives(c); c.Phase1.Kilobytes = allows.kilobytes }},
				tester.Withhold(core.Informational))
			Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
			Expect(renews(ctx, t)).To(BeFalse(), "the second PULL is under the same SA")
			kit.Reached(again(ctx, t), "it gets its keys")
			Expect(renews(ctx, t)).To(Equal(allows.renews))
		})
	}

	It("offers its lifetimes as pairs of Life Type and Life Duration", kit.Requirement("RFC2407-4.5-02", "RFC2407-4.5.2-01"), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{Member: func(_ int, c *policy.Member) { c.Phase1.Lifetime, c.Phase1.Kilobytes = life, manyKilobytes }})
		complete := t.reaches(ctx, core.MainMode1)
		for _, tr := range transforms(t, t.device) {
			Expect(lifetimes(tr)).To(Equal(map[uint64]uint64{isakmp.LifeSeconds: uint64(life / time.Second), isakmp.LifeKilobytes: manyKilobytes}))
		}
		Expect(complete).To(BeTrue(), "the offer is sent")
	})
})

// shorter is Aggressive Mode with a key server whose lifetime is shorter than what members offer.
func shorter(d time.Duration) lab.Setup {
	setup := aggressively()
	keyServer := setup.KeyServer
	setup.KeyServer = func(c *policy.KeyServer) { keyServer(c); c.Phase1.Lifetime = d }
	return setup
}

// lifetimes are those of a transform by their Life Types.
func lifetimes(tr isakmp.Transform) map[uint64]uint64 {
	found := make(map[uint64]uint64)
	var unit wire.Attribute
	for _, a := range tr.Attributes {
		if a.Type == isakmp.AttrLifeDuration {
			u, _ := unit.Uint()
			found[u], _ = a.Uint()
		}
		unit = a
	}
	return found
}
