package rekey

import (
	"context"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// repeating has the key server send each PUSH so many times more, soon.
func repeating(times int, interval time.Duration) func(*policy.Group) {
	return func(g *policy.Group) { g.Rekey.Retransmit, g.Rekey.Interval = times, interval }
}

// members brings up a key server and so many members.
func members(ctx context.Context, n int, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, lab.Setup{Members: n, Group: func(g *policy.Group) {
		for _, change := range alter {
			change(g)
		}
	}}), ctx}
}

// sends waits until so many datagrams of PUSH messages have left the key server since the mark, and returns all of them.
func (s *scene) sends(since kit.Mark, n int) []datagram {
	GinkgoHelper()
	Expect(s.Wait(s.ctx, lab.Patience, func() bool { return len(s.pushes(since)) >= n })).To(BeTrue(), "the key server sends %d datagrams", n)
	return s.pushes(since)
}

// pushes are the datagrams of PUSH messages since the mark.
func (s *scene) pushes(since kit.Mark) []datagram { return s.sentBy(s.KS, since, isakmp.ExchangePush) }

var _ = Describe("Delivery of GROUPKEY-PUSH by a key server (RFC 6407 §4, RFC 8263 §6)", kit.Subject("rekey"), kit.DUT(rule.KS), func() {
	It("sends a unicast rekey to every member, the same octets to each", kit.Requirement("RFC6407-4-09", "RFC6407-2.2-02"), func(ctx SpecContext) {
		s := members(ctx, 3)
		p := s.rekey(control.RekeyArgs{})
		all := s.sends(p.since, 3)
		Expect(all).To(HaveLen(3))
		for i, d := range all {
			Expect(d.from).To(Equal(s.KS.Addr()))
			Expect(d.data).To(Equal(all[0].data))
			Expect(slices.ContainsFunc(all, func(d datagram) bool { return d.to == s.GM[i].Addr() })).To(BeTrue(), "one goes to %s", s.GM[i].Name())
		}
		for _, gm := range s.GM {
			Expect(gm.AwaitLog(ctx, "REKEY_ACCEPTED", 0, lab.Patience)).To(BeTrue(), "%s takes it", gm.Name())
		}
	})

	It("sends a multicast rekey once, to the address in its SAK", kit.Requirement("RFC6407-4-09", "RFC6407-2.2-02"), kit.Feature("multicast"), func(ctx SpecContext) {
		s := members(ctx, 3, lab.Multicast)
		p := s.rekey(control.RekeyArgs{})
		all := s.sends(p.since, 1)
		for _, gm := range s.GM {
			Expect(gm.AwaitLog(ctx, "REKEY_ACCEPTED", 0, lab.Patience)).To(BeTrue(), "%s takes it", gm.Name())
		}
		Expect(s.pushes(p.since)).To(HaveLen(1))
		pull2 := kit.Last(kit.MessagesSince(s.Lab, 0, core.Pull2.String()))
		Expect(kit.Value(pull2, "SA/SAK/Destination")).To(ContainSubstring(all[0].to.Addr().String() + " port 848"))
		Expect(kit.Value(pull2, "SA/SAK/Source")).To(ContainSubstring(all[0].from.Addr().String()))
		Expect(all[0].to.Port()).To(BeEquivalentTo(lab.Port))
	})

	It("sends nothing to somebody who has not registered", kit.Requirement("RFC6407-4-09"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Members: 2})
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		kit.Precondition(l.GM[0].Start(ctx), "gm1 starts")
		kit.Precondition(l.GM[0].AwaitRegistered(ctx), "gm1 registers")
		s := &scene{l, ctx}
		first := s.rekey(control.RekeyArgs{})
		Expect(s.sends(first.since, 1)).To(HaveLen(1))
		kit.Precondition(l.GM[1].Start(ctx), "gm2 starts")
		kit.Precondition(l.GM[1].AwaitRegistered(ctx), "gm2 registers")
		second := s.rekey(control.RekeyArgs{})
		Expect(s.sends(second.since, 2)).To(HaveLen(2), "to both, now that both have registered")
		for _, d := range s.pushes(first.since) {
			Expect(d.to).To(BeElementOf(l.GM[0].Addr(), l.GM[1].Addr()))
		}
		Expect(s.pushes(first.since)[0].to).To(Equal(l.GM[0].Addr()))
	})

	It("sends each PUSH once, if it is not told to repeat it", kit.Requirement("RFC6407-4-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		s := members(ctx, 1)
		p := s.rekey(control.RekeyArgs{})
		s.Pass(ctx, time.Minute)
		Expect(s.pushes(p.since)).To(HaveLen(1))
	})

	for _, c := range []struct {
		how   string
		to    int
		alter func(*policy.Group)
	}{{"unicast", 2, func(*policy.Group) {}}, {"multicast", 1, lab.Multicast}} {
		It("repeats a "+c.how+" PUSH as often as it is told, octet by octet", kit.Requirement("RFC6407-4.3-01"), func(ctx SpecContext) {
			const interval = 200 * time.Millisecond
			s := members(ctx, 2, c.alter, repeating(2, interval))
			p := s.rekey(control.RekeyArgs{})
			copies := s.sends(p.since, 3*c.to)
			for _, d := range copies {
				Expect(d.data).To(Equal(copies[0].data), "a copy has the same number, and everything else")
			}
			Expect(copies[c.to].at.Sub(copies[0].at)).To(BeNumerically("~", interval, interval/2))
			Expect(copies[2*c.to].at.Sub(copies[c.to].at)).To(BeNumerically("~", interval, interval/2))

			next := s.rekey(control.RekeyArgs{})
			Expect(next.Sequence).To(Equal(p.Sequence+1), "copies take no number")
			Expect(s.sends(next.since, c.to)[0].data).NotTo(Equal(copies[0].data))
		})
	}

	It("repeats a PUSH that replaced the KEK under the KEK before it", kit.Requirement("RFC6407-4.3-04"), func(ctx SpecContext) {
		s := members(ctx, 1, repeating(1, 200*time.Millisecond))
		p := s.rekey(control.RekeyArgs{KEK: true})
		copies := s.sends(p.since, 2)
		Expect(copies[1].data).To(Equal(copies[0].data))
		Expect(kit.Checked(kit.MessagesSince(s.Lab, p.since, core.Push.String())[1], "SIG")).To(Equal(capture.OK))
	})

	It("repeats a PUSH to members that have not acknowledged it, and to no others", kit.Requirement("RFC8263-6-09", "RFC8263-5-05"), kit.Feature("ack"), func(ctx SpecContext) {
		s := members(ctx, 2, func(g *policy.Group) { g.Rekey.Ack = policy.AckKEKSHA256 }, repeating(2, 200*time.Millisecond))
		Expect(s.GM[1].Misbehave(tester.Taps(tester.Withhold(core.PushACK)))).To(Succeed())
		p := s.rekey(control.RekeyArgs{})
		all := s.sends(p.since, 4)
		to := func(gm *lab.Peer) (n int) {
			for _, d := range all {
				Expect(d.data).To(Equal(all[0].data))
				if d.to == gm.Addr() {
					n++
				}
			}
			return n
		}
		Expect(to(s.GM[0])).To(Equal(1), "gm1 has acknowledged it")
		Expect(to(s.GM[1])).To(Equal(3), "gm2 has not")
	})

	It("tells the members to delete everything when its Sender-IDs are used up", kit.Requirement("RFC6407-3.5-11", "RFC6407-5.9-08", "RFC6054-4-08"),
		func(ctx SpecContext) {
			l := kit.Lab(ctx, lab.Setup{Members: 2})
			s := &scene{l, ctx}
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			Expect(l.GM[0].Misbehave(tester.Taps(tester.SenderIDRequest(256)))).To(Succeed()) // all that there are of eight bits
			kit.Precondition(l.GM[0].Start(ctx), "gm1 starts")
			kit.Precondition(l.GM[0].AwaitRegistered(ctx), "gm1 registers")
			Expect(l.GM[0].Misbehave(nil)).To(Succeed())

			since := kit.Now(l)
			kit.Precondition(l.GM[1].Start(ctx), "gm2 starts")
			told := s.sends(since, 1)
			Expect(told[0].to).To(Equal(l.GM[0].Addr()))
			push := kit.MessagesSince(l, since, core.Push.String())[0]
			Expect(kit.Names(push)).To(Equal([]string{"SEQ", "D", "D", "SIG"}))
			Expect(all(push.Payloads, "D/SPI")).To(HaveExactElements("00000000", HaveLen(32)))
			Expect(l.GM[1].AwaitRegistered(ctx)).To(Succeed(), "gm2 gets a Sender-ID")
			Expect(l.GM[0].AwaitRegistrations(ctx, 1, lab.Patience)).To(BeTrue(), "gm1 registers again")
		})
})
