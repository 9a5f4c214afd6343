package iec61850

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// margin is how long before and after a moment is looked at what it changes.
const margin = 500 * time.Millisecond

var _ = Describe("IEC 61850 at a member (RFC 8052 §2)", kit.Subject("iec61850"), kit.DUT(rule.GM), func() {
	It("names the group by its OID and what belongs to that", kit.Requirement("RFC8052-2.1-01"), func(ctx SpecContext) {
		s := stage(ctx, named, oidServant)
		s.begin()
		m := s.sent(0, core.Pull1)
		Expect(kit.Value(m, "ID/ID Type")).To(HaveSuffix("(13)"))
		Expect(kit.Value(m, "ID")).To(Equal(groupName.OID + " 0007"))
		Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed(), "and the key server knows it by that")
	})

	for _, t := range policy.IECTransforms() {
		It("takes keys for "+t.String(), kit.Requirement("RFC8052-2.2-01", "RFC8052-4-01", "RFC8052-2.3-01"), func(ctx SpecContext) {
			s := stage(ctx, only(t), servant)
			s.begin()
			Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed())
			Expect(s.holds(s.current())).To(BeTrue())
			sa := s.held()[s.current()]
			Expect(sa.Sending).To(BeTrue(), "the first SA is used at once")
			Expect(sa.Expiry).To(BeTemporally("~", s.Now().Add(lifetime), time.Minute))
		})
	}

	It("takes SAs whose SA_KDA is as much as it may be", kit.Requirement("RFC8052-4-01"), func(ctx SpecContext) {
		s := stage(ctx, handled(0, 100), servant)
		s.begin()
		Expect(s.GM[0].AwaitRegistered(ctx)).To(Succeed())
		Expect(s.holds(s.current())).To(BeTrue())
	})

	It("takes an SA that has no end as one that does not end soon", kit.Requirement("RFC8052-2.2-01"), func(ctx SpecContext) {
		s := stage(ctx, plainly, servant)
		s.misbehave(tester.IECLifetime(core.Pull2, 0))
		s.begin()
		kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the member registers")
		Expect(s.holds(s.current())).To(BeTrue())
		Expect(s.held()[s.current()].Expiry).To(BeTemporally(">", s.Now().Add(24*lifetime)))
	})

	It("goes over to a new SA when its own activation delay has passed, whatever that of the group", kit.Requirement("RFC8052-2.2.4.1-01"),
		func(ctx SpecContext) {
			s := joined(ctx, func(g *policy.Group) {
				handled(2, 0)(g)
				g.Activation.ATD = new(30 * time.Second)
			})
			s.Pass(ctx, 2*time.Second+margin)
			old := s.current()
			Expect(s.held()[old].Sending).To(BeTrue(), "the first SA is in use")
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			next := s.current()
			Expect(s.holds(next)).To(BeTrue())
			Expect(s.held()[next].Sending).To(BeFalse(), "the new SA waits")
			Expect(s.held()[old].Sending).To(BeTrue(), "and the old one goes on")
			s.Pass(ctx, 2*time.Second+margin)
			Expect(s.held()[next].Sending).To(BeTrue(), "the new SA is in use")
			Expect(s.held()[old].Sending).To(BeFalse(), "and the old one is not")
		})

	It("waits for the group's activation delay where the SA has none", kit.Requirement("RFC8052-2.2.4.1-01", "RFC6407-5.4.1-02"),
		func(ctx SpecContext) {
			s := joined(ctx, func(g *policy.Group) {
				plainly(g)
				g.Activation = policy.Activation{ATD: new(2 * time.Second), DTD: new(4 * time.Second)}
			})
			old := s.current()
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			next := s.current()
			Expect(s.holds(next)).To(BeTrue())
			Expect(s.held()[next].Sending).To(BeFalse(), "the new SA waits")
			s.Pass(ctx, 2*time.Second+margin)
			Expect(s.held()[next].Sending).To(BeTrue(), "the new SA is in use")
			Expect(s.held()).To(HaveKey(old), "the old one is still received")
			s.Pass(ctx, 2*time.Second)
			Expect(s.held()).NotTo(HaveKey(old), "until the deactivation delay has passed")
		})

	for _, c := range []struct {
		sentence string
		spi      func(old string) string
		ends     bool
	}{
		{"ends an SA that is deleted under Protocol-ID 3", func(old string) string { return old }, true},
		{"ends all SAs if SPI 0 is deleted under Protocol-ID 3", func(string) string { return "0" }, true},
	} {
		It(c.sentence, kit.Requirement("RFC6407-5.9-04", "RFC6407-5.9-07"), func(ctx SpecContext) {
			s := joined(ctx, plainly)
			old := s.current()
			kit.Reached(s.holds(old), "the member has the SA")
			kit.Rekey(ctx, s.Lab, control.RekeyArgs{DeleteTEKs: []string{c.spi(old)}})
			Expect(s.Wait(ctx, patience, func() bool { _, has := s.held()[old]; return !has })).To(BeTrue())
		})
	}

	It("keeps an SA whose SPI is deleted of another protocol", kit.Requirement("RFC6407-5.9-04"), kit.Negative, func(ctx SpecContext) {
		s := joined(ctx, plainly)
		old := s.current()
		kit.Reached(s.holds(old), "the member has the SA")
		s.misbehave(tester.Edit(core.Push, "a Delete of ESP", "RFC 6407 §5.9", func(d isakmp.Delete) isakmp.Payload {
			d.Protocol = gdoi.ProtoIPsecESP
			return d
		}))
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{DeleteTEKs: []string{old}})
		s.Pass(ctx, kit.Settle)
		Expect(s.held()).To(HaveKey(old))
		s.misbehave()
		kit.Rekey(ctx, s.Lab, control.RekeyArgs{DeleteTEKs: []string{old}})
		kit.Control(s.Wait(ctx, patience, func() bool { _, has := s.held()[old]; return !has }), "the right Delete ends it")
	})
})

const patience = 10 * time.Second
